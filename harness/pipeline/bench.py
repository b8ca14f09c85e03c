"""Engine time: every form of the ranker scored in turn in one run, over candidate lists that rotate."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from harness.load.candidates import list_lengths
from harness.protocols import Scorer
from harness.ranking_data import RankingData
from harness.scenario import CandidateCount

_BUDGET_S = 3.0
_MIN_ROUNDS, _MAX_ROUNDS = 20, 400
_LENGTHS = 20


def candidate_blocks(data: RankingData, n_candidates: CandidateCount, seed: int) -> Iterator[NDArray[np.float32]]:
    """Endless candidate lists from the test split: so many rows that a caller's loop outgrows the cache levels."""
    rng = np.random.default_rng(seed)
    while True:
        if n_candidates is None:
            yield np.ascontiguousarray(data.features[data.rows_of(int(rng.integers(data.n_groups)))])
            continue
        for length in list_lengths(n_candidates, _LENGTHS, rng):
            yield np.ascontiguousarray(data.features[rng.integers(data.n_rows, size=length)])


def engine_times_us(
    scorers: Sequence[Scorer], data: RankingData, n_candidates: CandidateCount, cpus: Sequence[int], seed: int = 0
) -> list[tuple[float, float]]:
    """Median and p99 time in us of one candidate list for each scorer, interleaved round by round on one core."""
    blocks = candidate_blocks(data, n_candidates, seed)
    times: list[list[float]] = [[] for _ in scorers]
    with _pinned(cpus):
        for scorer in scorers:
            for _ in range(3):
                scorer.score(next(blocks))
        deadline = time.perf_counter() + _BUDGET_S
        rounds = 0
        while rounds < _MIN_ROUNDS or (rounds < _MAX_ROUNDS and time.perf_counter() < deadline):
            x = next(blocks)
            for scorer, own in zip(scorers, times, strict=True):
                started = time.perf_counter()
                scorer.score(x)
                own.append(time.perf_counter() - started)
            rounds += 1
    return [(float(np.median(own) * 1e6), float(np.quantile(own, 0.99) * 1e6)) for own in times]


@contextmanager
def _pinned(cpus: Sequence[int]) -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity") or not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cpus))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
