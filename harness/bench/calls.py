"""Timing calls: every scorer on the same candidate list in turn, round by round, on one core."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from harness.protocols import Scorer
from harness.ranking_data import Features, Floats

_UNTIMED_ROUNDS = 3


@dataclass(frozen=True)
class Effort:
    """Rounds go on for `seconds`, but there are no fewer than `fewest` and no more than `most`."""

    seconds: float
    fewest: int
    most: int


def call_times_us(scorers: Sequence[Scorer], lists: Iterator[Features], cpus: Sequence[int], effort: Effort) -> Floats:
    """Times (n_scorers, n_rounds) in us. In each round all scorers get the same list, in an order drawn anew.

    Runs on `cpus` (empty: wherever the process may) after some rounds that are not timed.
    """
    order = np.random.default_rng(0)
    rounds: list[list[float]] = []
    with pinned(cpus):
        for _ in range(_UNTIMED_ROUNDS):
            x = next(lists)
            for scorer in scorers:
                scorer.score(x)
        deadline = time.perf_counter() + effort.seconds
        while len(rounds) < effort.fewest or (len(rounds) < effort.most and time.perf_counter() < deadline):
            x, times = next(lists), [0.0] * len(scorers)
            for place in order.permutation(len(scorers)):
                score = scorers[place].score
                started = time.perf_counter()
                score(x)
                times[place] = time.perf_counter() - started
            rounds.append(times)
    return np.array(rounds, dtype=np.float64).reshape(len(rounds), len(scorers)).T * 1e6


@contextmanager
def pinned(cpus: Sequence[int]) -> Iterator[None]:
    """Keep the calling thread on `cpus`, as far as the platform can."""
    if not hasattr(os, "sched_setaffinity") or not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cpus))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
