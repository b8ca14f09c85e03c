"""The load test cut into equal intervals of time, for pictures of what happened when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.ranking_data import Floats
from harness.records import LoadInfo
from harness.samples import Samples

_N_INTERVALS = 120


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
    order = np.lexsort((values, keys))
    keys, values, lost = keys[order], values[order], ~judged.ok[order]
    edges = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), keys.size]
    return list(_intervals(judged.targets, keys, values, lost, edges, length_s)) if keys.size else []


def _intervals(
    targets: tuple[str, ...], keys: np.ndarray, values: Floats, lost: np.ndarray, edges: list[int], length_s: float
) -> Iterator[Interval]:
    for start, stop in pairwise(edges):
        known = values[start:stop][~np.isnan(values[start:stop])]
        if known.size:
            key = int(keys[start])
            p50, p99 = (float(known[min(int(np.ceil(q * known.size)), known.size) - 1]) for q in (0.5, 0.99))
            at_s, n_lost = ((key & 0xFFFFFFFF) + 0.5) * length_s, int(lost[start:stop].sum())
            yield Interval(targets[key >> 48], (key >> 32) & 0xFFFF, at_s, stop - start, n_lost, p50, p99)


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
