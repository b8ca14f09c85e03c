"""Several load tests of the same targets as one: a run that went on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields

import numpy as np

from harness.answers import Answers, merged
from harness.records import LoadInfo, MachineLog
from harness.samples import Samples

Part = tuple[Samples, LoadInfo, Answers]


def joined(parts: Sequence[Part]) -> Part:
    """Samples with their segments in sequence, what the generator and the machine said of all of them, all answers."""
    if len(parts) == 1:
        return parts[0]
    samples, infos, kept = zip(*parts, strict=True)
    answers, maps = merged(kept)
    return _samples(samples, maps), _info(infos), answers


def _samples(parts: Sequence[Samples], maps: Sequence[np.ndarray[tuple[int], np.dtype[np.int32]]]) -> Samples:
    columns: dict[str, list[np.ndarray[tuple[int], np.dtype[np.generic]]]] = {f.name: [] for f in fields(Samples)[1:]}
    n_segments = 0
    for part, numbers in zip(parts, maps, strict=True):
        own = vars(part) | {"segment": part.segment + np.int16(n_segments), "answer": numbers[part.answer]}
        n_segments = int(own["segment"].max(initial=n_segments - 1)) + 1
        for name, column in columns.items():
            column.append(own[name])
    return Samples(parts[0].targets, **{name: np.concatenate(column) for name, column in columns.items()})


def _info(parts: Sequence[LoadInfo]) -> LoadInfo:
    whole = hashlib.sha256("".join(part.schedule_sha256 for part in parts).encode()).hexdigest()
    return parts[-1].model_copy(
        update={
            "schedule_sha256": whole,
            "n_planned": sum(part.n_planned for part in parts),
            "window_s": sum(part.window_s for part in parts),
            "generator_cpu_share": highest([part.generator_cpu_share for part in parts]),
            "generator_cpu_share_max": highest([part.generator_cpu_share_max for part in parts]),
            "loop_lag_ms_max": highest([part.loop_lag_ms_max for part in parts]),
            "n_workers_lost": max(part.n_workers_lost for part in parts),
            "complete": all(part.complete for part in parts),
            "notes": tuple(dict.fromkeys(note for part in parts for note in part.notes)),
            "segment_start_s": tuple(start for part in parts for start in part.segment_start_s),
            "n_out_of_step": {name: sum(part.n_out_of_step[name] for part in parts) for name in parts[0].n_out_of_step},
            "machine": _machine([part.machine for part in parts if part.machine is not None]),
        }
    )


def highest(values: Iterable[float]) -> float:
    """The largest value that is known; NaN where none is."""
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _machine(logs: Sequence[MachineLog]) -> MachineLog | None:
    """One log; processes of the generator keep a row each, NaN where they did not run."""
    if not logs:
        return None
    columns = ("end_s", "duration_s", "steal_share", "foreign_share", "throttled_share")
    n_rows = [len(log.end_s) for log in logs]
    processes = [
        (*[math.nan] * sum(n_rows[:place]), *row, *[math.nan] * sum(n_rows[place + 1 :]))
        for place, log in enumerate(logs)
        for row in log.generator_cpu_share
    ]
    by_name = {
        field: {name: tuple(v for log in logs for v in getattr(log, field)[name]) for name in getattr(logs[0], field)}
        for field in ("pressure_share", "server_cpu_s")
    }
    return logs[0].model_copy(
        update={name: tuple(v for log in logs for v in getattr(log, name)) for name in columns}
        | by_name
        | {"generator_cpu_share": tuple(processes)}
    )
