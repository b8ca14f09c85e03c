"""Clusters of slow requests: what may be counted as independent in samples that are not.

In a queue, misses come in bursts: whoever waits behind a slow request is slow too. Between two bursts the server runs
empty, and from there its future does not depend on its past, so the requests between two such moments (a *cycle*) are
one independent observation. This is regenerative simulation (Crane and Iglehart, Operations Research 1975), read off
the due and done times of a load test. The requests of a cycle that are over a limit are a *cluster*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.samples import Samples

_IDLE_SHARE = 0.02
"""A cycle begins where a request finds no more others in flight than this share of all requests do."""

_EXCURSION_SHARE = 0.25
_PIECES = 50

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Cycles:
    """The cycle and the piece (n,) that each request belongs to, numbered from 0.

    A cycle of more than a quarter of its segment is no excursion but the state of the server (it can't keep up): it is
    cut into pieces of a fiftieth of the segment. All other cycles are one piece. Only evidence *against* a server may
    be counted by pieces.
    """

    number: Numbers
    piece: Numbers


@dataclass(frozen=True)
class Clusters:
    """How many cycles hold a request over a limit, how many such requests they hold in all, and how unequally.

    dispersion: squared coefficient of variation of the cluster sizes; NaN for fewer than two clusters.
    """

    n: int
    total: int
    dispersion: float

    @property
    def mean(self) -> float:
        """Mean cluster size; 0 without any."""
        return self.total / self.n if self.n else 0.0


def cycles(samples: Samples) -> Cycles:
    """The cycles of `samples`; a segment begins a new one.

    Where the server never runs empty, the lowest numbers in flight that 2 % of the requests still find stand for it.
    After a failed or unsent request, whose end is not known, no cycle begins until one has been answered.
    """
    order = np.lexsort((samples.due_s, samples.segment))
    number, piece = np.zeros(len(samples), dtype=np.int64), np.zeros(len(samples), dtype=np.int64)
    n_cycles = n_pieces = 0
    for rows in np.split(order, np.flatnonzero(np.diff(samples.segment[order])) + 1):
        if rows.size == 0:
            continue
        own = np.cumsum(_begins(samples, rows)) - 1
        sizes = np.bincount(own)
        cut = (sizes > _EXCURSION_SHARE * rows.size)[own]
        turn = np.arange(rows.size) * _PIECES // rows.size
        pieces = np.cumsum(np.diff(own, prepend=0) + (np.diff(turn, prepend=0) > 0) * cut > 0)
        number[rows], piece[rows] = own + n_cycles, pieces + n_pieces
        n_cycles += int(own[-1]) + 1
        n_pieces += int(pieces[-1]) + 1
    return Cycles(number, piece)


def _begins(samples: Samples, rows: Numbers) -> Mask:
    """Which of a segment's requests, in their order, begin a cycle."""
    due_s, ok = samples.due_s[rows], samples.ok[rows]
    done_s = np.where(ok, samples.done_s[rows], due_s)
    in_flight = np.arange(rows.size) - np.searchsorted(np.sort(done_s), due_s, side="right")
    begins: Mask = in_flight <= max(np.quantile(in_flight, _IDLE_SHARE, method="inverted_cdf"), 0)
    begins[1:] &= ok[:-1]
    begins[0] = True
    return begins


def clusters(numbers: Numbers, over: Mask) -> Clusters:
    """The clusters of the requests where `over` (n,) holds, by the number of their cycle or piece."""
    sizes = np.bincount(numbers[over])
    sizes = sizes[sizes > 0]
    if sizes.size == 0:
        return Clusters(0, 0, float("nan"))
    mean = float(sizes.mean())
    dispersion = float(sizes.var(ddof=1)) / mean**2 if sizes.size > 1 else float("nan")
    return Clusters(int(sizes.size), int(sizes.sum()), dispersion)


def slowest(latency_ms: Floats, share: float) -> Mask:
    """Which requests (n,) belong to the slowest `share` of them (fewer where they tie)."""
    rank = max(int(np.ceil((1 - share) * latency_ms.size - 1e-9)) - 1, 0)
    level: float = np.partition(latency_ms, rank)[rank]
    return latency_ms > level
