"""Queues whose tail is known, simulated many runs at a time, as the samples of a load test would show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from harness.samples import Samples

Times = np.ndarray
Draw = Callable[[np.random.Generator, tuple[int, int]], Times]
_BLOCK = 250
_WARM_UP_S = 10.0


@dataclass(frozen=True)
class Queue:
    """First come, first served: Poisson arrivals at `qps`, `servers` of them, service times (s) from `draw`."""

    name: str
    servers: int
    qps: float
    draw: Draw

    def runs(self, n_runs: int, window_s: float, seed: int) -> Iterator[tuple[Times, Times]]:
        """Due and done times (n,) in seconds of each run, the due ones in [0, window_s), after a warm-up."""
        rng = np.random.default_rng(seed)
        for start in range(0, n_runs, _BLOCK):
            due, done = self._block(min(_BLOCK, n_runs - start), window_s, rng)
            for run in range(due.shape[1]):
                inside = (due[:, run] >= 0) & (due[:, run] < window_s)
                yield due[inside, run], done[inside, run]

    def latencies_s(self, n_runs: int, window_s: float, seed: int) -> Times:
        """All latencies of so many runs, for the truth about its tail."""
        return np.concatenate([done - due for due, done in self.runs(n_runs, window_s, seed)])

    def _block(self, width: int, window_s: float, rng: np.random.Generator) -> tuple[Times, Times]:
        expected = (window_s + _WARM_UP_S) * self.qps
        shape = (int(expected + 6 * np.sqrt(expected)) + 1, width)
        due = np.cumsum(rng.exponential(1 / self.qps, shape), axis=0)
        service = self.draw(rng, shape)
        done = np.empty(shape)
        free, runs = np.zeros((self.servers, width)), np.arange(width)
        for i in range(shape[0]):
            first = free.argmin(axis=0) if self.servers > 1 else 0
            done[i] = np.maximum(free[first, runs], due[i]) + service[i]
            free[first, runs] = done[i]
        return due - _WARM_UP_S, done - _WARM_UP_S


def sojourns_s(gaps_s: Times, service_s: Times) -> Times:
    """Time (n,) of each request at one server, empty at first, from the gaps before them and their service times (n,).

    Lindley's recursion (1952), whose solution is a random walk less its running minimum.
    """
    walk = np.cumsum(np.concatenate([[0.0], service_s[:-1] - gaps_s[1:]]))
    return walk - np.minimum.accumulate(walk) + service_s


def exponential(mean_s: float) -> Draw:
    """Service times of the M in M/M/1."""
    return lambda rng, shape: rng.exponential(mean_s, shape)


def lognormal(mean_s: float, cv: float) -> Draw:
    """Service times of a given mean and coefficient of variation."""
    variance = np.log1p(cv**2)
    return lambda rng, shape: rng.lognormal(np.log(mean_s) - variance / 2, np.sqrt(variance), shape)


def stalling(base_s: float, stall_s: float, share: float) -> Draw:
    """A constant service time, but for a share of requests that stall the server."""
    return lambda rng, shape: np.where(rng.random(shape) < share, stall_s, base_s)


def samples_of(due_s: Times, done_s: Times) -> Samples:
    """One run's times as the samples of one target and one segment, all answered."""
    n = due_s.size
    zero, one = np.zeros(n, dtype=np.int16), np.ones(n, dtype=np.int32)
    return Samples(
        targets=("compressed",), target=zero, segment=zero, in_window=np.ones(n, dtype=np.bool_), due_s=due_s,
        sent_s=due_s, done_s=done_s, status=np.full(n, 200, dtype=np.int16), n_candidates=one, body=one,
    )  # fmt: skip
