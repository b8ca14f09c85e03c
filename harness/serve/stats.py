"""Counters of all workers in one shared mapping: each worker writes its own slot, anyone sums, nobody locks.

Times are kept in nanoseconds in logarithmic buckets (64 to an octave, so 1.6 % wide; exact below 128 ns), as in HDR
histograms (Tene), and merged by adding, so percentiles over several workers are those of all their requests.
"""

from __future__ import annotations

import mmap
import os
from typing import IO

import numpy as np
from numpy.typing import NDArray

STATUSES = (200, 400, 413, 500)
PID, READY, FIRST_STATUS = 0, 1, 2
SERVICE_NS, ENGINE_NS = 6, 7
N_BUCKETS = 64 * 31
SERVICE_HIST = 8
ENGINE_HIST = SERVICE_HIST + N_BUCKETS
SLOT_WORDS = ENGINE_HIST + N_BUCKETS

_STATUS_WORD = {status: FIRST_STATUS + i for i, status in enumerate(STATUSES)}
_LAST = N_BUCKETS - 1

Counts = NDArray[np.int64]


def bucket_of(ns: int) -> int:
    """Index of the bucket that holds a time."""
    shift = ns.bit_length() - 7
    if shift <= 0:
        return ns if ns > 0 else 0
    return min((shift << 6) + (ns >> shift), _LAST)


def bucket_floors() -> Counts:
    """(N_BUCKETS + 1,) smallest time of each bucket in nanoseconds, and the end of the last."""
    index: Counts = np.arange(N_BUCKETS + 1, dtype=np.int64)
    shift = np.maximum(index // 64 - 1, np.int64(0))
    floors: Counts = np.left_shift(index - 64 * shift, shift)
    return floors


def quantile_ns(hist: Counts, q: float) -> float:
    """The q-quantile of a histogram (N_BUCKETS,): the middle of the bucket that holds it; NaN where it is empty."""
    total = int(hist.sum())
    if total == 0:
        return float("nan")
    bucket = int(np.searchsorted(np.cumsum(hist), max(1, int(np.ceil(q * total)))))
    floors = bucket_floors()
    return float(floors[bucket] + floors[bucket + 1] - 1) / 2


class Slot:
    """The counters of one worker, written by it alone."""

    def __init__(self, words: memoryview) -> None:
        self._words = words

    def ready(self) -> None:
        """Say that this process serves."""
        self._words[PID] = os.getpid()
        self._words[READY] = 1

    def count(self, status: int) -> None:
        """One answered infer request that was not scored."""
        self._words[_STATUS_WORD[status]] += 1

    def scored(self, service_ns: int, engine_ns: int) -> None:
        """One scored request."""
        words = self._words
        words[FIRST_STATUS] += 1
        words[SERVICE_NS] += service_ns
        words[ENGINE_NS] += engine_ns
        words[SERVICE_HIST + bucket_of(service_ns)] += 1
        words[ENGINE_HIST + bucket_of(engine_ns)] += 1


class Board:
    """The slots of all workers, mapped from an open file that the launcher makes and its workers inherit."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, 0)
        self._counts: Counts = np.frombuffer(self._map, dtype=np.int64).reshape(-1, SLOT_WORDS)

    @staticmethod
    def file(n_workers: int) -> IO[bytes]:
        """Zeroed slots in a file that lives in memory only: nothing to delete, and no write-back to stall a worker."""
        file = os.fdopen(os.memfd_create("harness-board"), "w+b")
        file.truncate(n_workers * SLOT_WORDS * 8)
        return file

    def slot(self, worker: int) -> Slot:
        """The slot of one worker."""
        size = SLOT_WORDS * 8
        return Slot(memoryview(self._map)[worker * size : (worker + 1) * size].cast("q"))

    def pids(self) -> list[int]:
        """Process ids of the workers that are ready."""
        return [int(pid) for pid in self._counts[self._counts[:, READY] == 1, PID]]

    @property
    def all_ready(self) -> bool:
        """Whether every worker serves."""
        return bool(self._counts[:, READY].all())

    def totals(self) -> Counts:
        """(SLOT_WORDS,) sums over all workers, as a copy."""
        totals: Counts = self._counts.sum(axis=0)
        return totals
