"""One latency percentile against its limit: judged as a share of requests, by bounds that allow for clusters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.judge.clusters import Clusters, Cycles, clusters
from harness.judge.shares import Reference, Share, bounded, reference, share_of
from harness.ranking_data import Floats
from harness.samples import Samples

_LONGEST = 1000
_UNSEEN = 3.0
"""Events that come 3 times per window or more stay away from one with a probability of at most 5 %."""


@dataclass(frozen=True)
class Percentile:
    """The q-quantile of one target's latency, as its samples show it.

    allowed: 1 - q; latency_ms, round_trip_ms: (n,), infinite where failed or unsent; alpha: of each bound.
    """

    allowed: float
    latency_ms: Floats
    round_trip_ms: Floats
    cycle: Cycles
    reference: Reference
    alpha: float

    @classmethod
    def of(cls, samples: Samples, cycle: Cycles, q: float, alpha: float) -> Percentile:
        """From the judged samples of one target and their cycles."""
        latency = samples.latency_ms
        trip = np.where(np.isnan(samples.round_trip_ms), np.inf, samples.round_trip_ms)
        return cls(1 - q, latency, trip, cycle, reference(latency, cycle, 1 - q), alpha)

    def over(self, limit_ms: float) -> Share:
        """The share of requests whose latency is over the limit."""
        return share_of(~(self.latency_ms <= limit_ms), self.cycle, self.reference, self.alpha)

    def trips_over(self, limit_ms: float) -> Share:
        """The share of requests whose round trip alone is over it: what no generator can be blamed for."""
        return share_of(~(self.round_trip_ms <= limit_ms), self.cycle, self.reference, self.alpha)

    def bounds_ms(self) -> tuple[float, float]:
        """Bounds on the percentile: between which limits the verdict is open; infinite where none would pass."""
        values = np.unique(self.latency_ms)
        low = _first(values, lambda t: self.over(t).lower <= self.allowed)
        high = _first(values, lambda t: self.over(t).upper <= self.allowed)
        return (0.0 if low is None else low), (math.inf if high is None else high)

    def further_windows(self, limit_ms: float) -> float:
        """How many more windows like this one would decide; infinite where over a thousand would not.

        Supposes that clusters go on coming at the rate and in the sizes seen.
        """
        over, n = self.latency_ms > limit_ms, self.latency_ms.size
        whole, pieces = clusters(self.cycle.number, over), clusters(self.cycle.piece, over)

        def decided(times: float) -> bool:
            known = Reference(int(max(self.reference.n, 1) * times), self.reference.mean, self.reference.dispersion)
            share = bounded(_times(whole, times), _times(pieces, times), int(n * times), known, self.alpha)
            return share.upper <= self.allowed or share.lower > self.allowed

        grid = np.geomspace(1, _LONGEST, 200)
        needed = _first(grid, decided)
        return math.inf if needed is None else needed - 1

    def blind_spot_s(self, window_s: float) -> float:
        """The longest stall that a PASS excludes: longer ones may come too seldom to be seen, and break the limit."""
        return self.allowed * window_s / _UNSEEN


def percentile(values: Floats, q: float) -> float:
    """The smallest value that at least a share q does not exceed (an observed one); NaN for no values."""
    if values.size == 0:
        return math.nan
    rank = int(np.ceil(q * values.size - 1e-9)) - 1
    return float(np.partition(values, rank)[max(rank, 0)])


def _first(values: Floats, holds: Callable[[float], bool]) -> float | None:
    """The first of ascending values from which on a property holds, by bisection; None where it never does."""
    low, high = 0, values.size
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(float(values[middle])) else (middle + 1, high)
    return float(values[low]) if low < values.size else None


def _times(found: Clusters, times: float) -> Clusters:
    return Clusters(round(found.n * times), round(found.total * times), found.dispersion)
