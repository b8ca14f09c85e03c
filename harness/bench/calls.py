"""Timing calls: every scorer on the same candidate lists in turn, round by round, on one core."""

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
    """Calls go on for `seconds`, but each scorer gets no fewer than `fewest` and not many more than `most` of them.

    In a round a scorer gets `burst` lists in a row. One alone finds the caches full of the other scorers' models; more
    of them show it as it is in a service of its own.
    """

    seconds: float
    fewest: int
    most: int
    burst: int = 1


def call_times_us(scorers: Sequence[Scorer], lists: Iterator[Features], cpus: Sequence[int], effort: Effort) -> Floats:
    """Times (n_scorers, n_calls) in us. In each round all scorers get the same lists, in an order drawn anew.

    Runs on `cpus` (empty: wherever the process may) after some rounds that are not timed.
    """
    order = np.random.default_rng(0)
    rounds: list[Floats] = []
    with pinned(cpus):
        for _ in range(_UNTIMED_ROUNDS):
            x = next(lists)
            for scorer in scorers:
                scorer.score(x)
        deadline = time.perf_counter() + effort.seconds
        while (n_calls := len(rounds) * effort.burst) < effort.fewest or (
            n_calls < effort.most and time.perf_counter() < deadline
        ):
            own = [next(lists) for _ in range(effort.burst)]
            times = np.empty((len(scorers), effort.burst))
            for place in order.permutation(len(scorers)):
                score = scorers[place].score
                for call, x in enumerate(own):
                    started = time.perf_counter()
                    score(x)
                    times[place, call] = time.perf_counter() - started
            rounds.append(times)
    return np.concatenate(rounds, axis=1) * 1e6


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
