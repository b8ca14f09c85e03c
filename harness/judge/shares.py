"""How large the share of requests over a limit may be, when they come in clusters.

The number of clusters in a window is Poisson, their sizes vary, and a share's bounds have to allow for both: a window
may have seen few clusters, and small ones. For K clusters of exponential sizes the ratio of a Gamma(K + 1) to a
Gamma(K) variable bounds the product of rate and mean size exactly; for sizes of squared coefficient of variation
`c` the second shape is K / c (a gamma distribution of sizes). In terms of Fisher's F:

    upper = (K + 1) * mean size * F(1 - alpha; 2 (K + 1), 2 K / c)
    lower = total / F(1 - alpha; 2 K / c, 2 K)

A window that meets its limit holds few clusters over it, sometimes none, so mean size and `c` lean on those of the
slowest requests of the same run, whatever their latency: on the share that the objective allows and on multiples of
it, where there are clusters to see. They weigh like `_PRIOR` clusters and never lower a mean size; their `c` is taken
for no less than `_DISPERSION` times that of geometric sizes, 1 - 1 / mean (so 0 for misses that come alone). What the F
quantiles leave out (levels and sizes come from the same window) is paid
for by using them at `_PRICE` of the nominal alpha. These three were set by the simulation of known queues in
`tests/benchmarks/verdicts.py`, whose table says what the bounds are worth.

No window shows what is rarer than it: see `blind_spot`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.judge.clusters import Clusters, Cycles, Mask, clusters, slowest
from harness.ranking_data import Floats

ALPHA = 0.05
_PRIOR = 20
_DISPERSION = 3.0
_PRICE = 0.5
_LEVELS = (1, 3, 10)
_NONE = 1e-6


@dataclass(frozen=True)
class Reference:
    """What clusters look like in this run: n of them at the share of an objective, mean size, dispersion."""

    n: int
    mean: float
    dispersion: float


INDEPENDENT = Reference(n=1_000_000, mean=1.0, dispersion=0.0)
"""Where nothing is known of clusters: events that come alone, unless they are seen together."""


@dataclass(frozen=True)
class Share:
    """A share of requests, measured, with one-sided bounds, and the effective sample size they rest on."""

    measured: float
    lower: float
    upper: float
    n_effective: float


def reference(latency_ms: Floats, cycle: Cycles, allowed: float) -> Reference:
    """The clusters of the slowest `allowed` share of requests (n,) and of multiples of it; see the module's text."""
    levels = {k: clusters(cycle.number, slowest(latency_ms, min(k * allowed, max(allowed, 0.5)))) for k in _LEVELS}
    mean = max([1.0, *(c.mean for c in levels.values())])
    dispersions = [c.dispersion for c in levels.values() if not math.isnan(c.dispersion)]
    return Reference(levels[1].n, mean, dispersion=max([_DISPERSION * _geometric(mean), *dispersions]))


def share_of(over: Mask, cycle: Cycles, ref: Reference, alpha: float = ALPHA) -> Share:
    """The share of True in `over` (n,), with bounds that each fail with probability `alpha`."""
    n = over.size
    if n == 0:
        return Share(math.nan, 0.0, 1.0, 0.0)
    return bounded(clusters(cycle.number, over), clusters(cycle.piece, over), n, ref, alpha)


def bounded(found: Clusters, pieces: Clusters, n: int, ref: Reference, alpha: float = ALPHA) -> Share:
    """The same from the clusters of n requests, by cycles and by pieces."""
    from scipy.special import fdtri

    q = 1 - _PRICE * alpha
    mean = max((found.total + _PRIOR * ref.mean) / (found.n + _PRIOR), found.mean)
    spread = _dispersion(found, ref)
    n_sizes = max(found.n, ref.n * min(1.0, ref.mean / mean), 1)  # how many cluster sizes the mean rests on
    upper = (found.n + 1) * mean * float(fdtri(2 * (found.n + 1), 2 * n_sizes / spread, q)) / n
    lower = 0.0
    if pieces.n:
        lower = found.total / float(fdtri(2 * pieces.n / _dispersion(pieces, ref), 2 * pieces.n, q)) / n
    return Share(found.total / n, min(lower, 1.0), min(upper, 1.0), max(n / (mean * (1 + spread)), 1.0))


def _dispersion(found: Clusters, ref: Reference) -> float:
    own = ref.dispersion if math.isnan(found.dispersion) else found.dispersion
    weighed = (found.n * own + _PRIOR * ref.dispersion) / (found.n + _PRIOR)
    return max(weighed, _geometric(found.mean), _NONE)


def _geometric(mean: float) -> float:
    """The squared coefficient of variation of geometric cluster sizes."""
    return 1 - 1 / max(mean, 1.0)
