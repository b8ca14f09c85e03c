"""The load test cut into equal intervals of time, for pictures of what happened when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.records import LoadInfo
from harness.samples import Samples

_N_INTERVALS = 120
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """The judged requests of one target and segment that were due within it, and percentiles of one quantity.

    at_s: its middle, seconds from the start of the load test; n_lost: requests that failed or were never sent; a
    percentile is infinite where it falls on a request without an answer.
    """

    target: str
    segment: int
    at_s: float
    n: int
    n_lost: int
    p50: float
    p99: float


def cut(judged: Samples, due_s: Floats, values: Floats) -> list[Interval]:
    """At most about 120 intervals of whole seconds over all of `judged`; those without a known value are left out.

    due_s: seconds from the start of the load test; values: what percentiles are of, NaN where there is none; all (n,).
    """
    length_s = interval_s(due_s)
    keys = (judged.target.astype(np.int64) << 48) | (judged.segment.astype(np.int64) << 32)
    keys |= (due_s // length_s).astype(np.int64)
    order = np.argsort(keys, kind="stable")  # as good as done, for samples come in order of their segments and times
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return list(_intervals(judged, values, keys, np.split(order, starts[1:]), length_s)) if keys.size else []


def _intervals(
    judged: Samples, values: Floats, keys: Whole, groups: list[Whole], length_s: float
) -> Iterator[Interval]:
    ok = judged.ok
    for rows in groups:
        known = np.sort(values[rows])
        known = known[~np.isnan(known)]
        if known.size:
            key = int(keys[rows[0]])
            p50, p99 = (float(known[int(np.ceil(q * known.size)) - 1]) for q in (0.5, 0.99))
            at_s, n_lost = ((key & 0xFFFFFFFF) + 0.5) * length_s, int(np.count_nonzero(~ok[rows]))
            yield Interval(judged.targets[key >> 48], (key >> 32) & 0xFFFF, at_s, rows.size, n_lost, p50, p99)


def interval_s(due_s: Floats) -> float:
    """Length of an interval: whole seconds, at least one."""
    return float(max(1, np.ceil(due_s.max(initial=0.0) / _N_INTERVALS)))


def since_start_s(samples: Samples, load: LoadInfo | None) -> Floats:
    """Due times (n,) from the start of the load test; segments stand end to end where their starts were not kept."""
    n = int(samples.segment.max(initial=0)) + 1
    if load is not None and len(load.segment_start_s) >= n:
        starts_s = np.array(load.segment_start_s) - load.segment_start_s[0]
    else:
        lengths_s = np.zeros(n)
        np.maximum.at(lengths_s, samples.segment, samples.due_s)
        starts_s = np.concatenate([[0.0], np.cumsum(np.ceil(lengths_s))[:-1]])
    return np.asarray(starts_s[samples.segment] + samples.due_s)
