"""Which seconds of the machine's log belong to a judged window, and what they amount to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.records import LoadInfo, MachineLog, MachineMeasure, Spread
from harness.samples import Samples


def machine_measure(load: LoadInfo | None, samples: Samples, target: str) -> MachineMeasure:
    """The machine in the judged windows of one target; all NaN where it was not watched."""
    judged = samples.judged(target)
    if load is None or load.machine is None or not load.segment_start_s or not len(judged):
        return MachineMeasure()
    log, start_s = load.machine, np.array(load.segment_start_s)
    rows = _rows(log, judged, start_s)
    duration_s = np.array(log.duration_s)[rows]
    if not duration_s.size:
        return MachineMeasure()

    def spread(column: Sequence[float]) -> Spread:
        return _spread(np.array(column)[rows], duration_s)

    throttled_s = np.array(log.throttled_share)[rows] * duration_s
    shares = np.array(log.generator_cpu_share).reshape(-1, rows.size)[:, rows]
    known = shares[~np.isnan(shares)]
    return MachineMeasure(
        n_seconds=int(rows.sum()),
        steal=spread(log.steal_share),
        foreign=spread(log.foreign_share),
        **{f"{name}_pressure": spread(column) for name, column in log.pressure_share.items()},
        throttled_s=float(throttled_s.sum()),
        generator_cpu_share_max=float(known.max()) if known.size else float("nan"),
        server_cpu_us=_server_cpu_us(log, rows, samples, start_s, target),
    )


def _rows(log: MachineLog, judged: Samples, start_s: Floats) -> NDArray[np.bool_]:
    """Rows (n,) whose middle lies between the first due time and the last answer of some segment's judged window."""
    middle_s = np.array(log.end_s) - np.array(log.duration_s) / 2
    inside = np.zeros(middle_s.size, dtype=np.bool_)
    for segment in np.unique(judged.segment):
        own = judged.segment == segment
        first_s = start_s[segment] + judged.due_s[own].min()
        last_s = start_s[segment] + np.nanmax([judged.due_s[own], judged.done_s[own]])
        inside |= (middle_s >= first_s) & (middle_s <= last_s)
    return inside


def _spread(values: Floats, duration_s: Floats) -> Spread:
    known = ~np.isnan(values)
    if not known.any():
        return Spread()
    return Spread(mean=float(np.average(values[known], weights=duration_s[known])), worst=float(values[known].max()))


def _server_cpu_us(log: MachineLog, rows: NDArray[np.bool_], samples: Samples, start_s: Floats, target: str) -> float:
    """CPU time of the target's server over its requests answered in the same seconds."""
    if target not in log.server_cpu_s:
        return float("nan")
    own = samples.where((samples.target == samples.targets.index(target)) & samples.ok)
    answered_s = np.sort(start_s[own.segment] + own.done_s)
    end_s = np.array(log.end_s)
    begin_s = end_s - np.array(log.duration_s)
    n_answered = np.searchsorted(answered_s, end_s[rows]) - np.searchsorted(answered_s, begin_s[rows])
    n, used_s = int(n_answered.sum()), float(np.array(log.server_cpu_s[target])[rows].sum())
    return used_s / n * 1e6 if n else float("nan")
