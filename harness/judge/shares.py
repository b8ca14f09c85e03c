"""Shares of requests and their bounds, for samples that are not independent.

Misses cluster in queues, so n requests tell less than n coin tosses. The effective sample size is n divided by the
integrated autocorrelation time of the series, summed over Geyer's initial positive sequence (Statistical Science
1992); bounds are Clopper and Pearson's (Biometrika 1934) at that size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats

LEVEL = 0.95
CLUSTER_LEVEL = 0.95


@dataclass(frozen=True)
class Share:
    """A share of requests with its one-sided 95 % bounds and the effective sample size they rest on."""

    measured: float
    lower: float
    upper: float
    n_effective: float


def autocorrelation_time(series: Floats) -> float:
    """Integrated autocorrelation time (>= 1) of a finite series (n,): by how much it overstates its own size."""
    n = series.size
    centred = series - series.mean() if n else series
    if n < 4 or not np.any(centred):
        return 1.0
    spectrum = np.fft.rfft(centred, 2 * n)
    covariance = np.fft.irfft(spectrum * spectrum.conj())[:n]
    correlation = covariance / covariance[0]
    pairs = correlation[0 : n - n % 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0)
    stop = int(negative[0]) if negative.size else pairs.size
    return float(min(max(1.0, 2 * pairs[:stop].sum() - 1), n))


def share_of(over: NDArray[np.bool_], slow: NDArray[np.bool_]) -> Share:
    """The share of True in `over` (n,). Its dependence is its own or that of `slow` (n,), whichever is stronger.

    `slow` marks requests over a lower level (`slowest`), whose clusters can be seen even where nothing is over the
    limit.
    """
    from scipy.stats import beta

    n = over.size
    if n == 0:
        return Share(float("nan"), 0.0, 1.0, 0.0)
    time = max(autocorrelation_time(series.astype(np.float64)) for series in (over, slow))
    size = n / time
    hits = over.mean() * size
    lower = float(beta.ppf(1 - LEVEL, hits, size - hits + 1)) if over.any() else 0.0
    upper = float(beta.ppf(LEVEL, hits + 1, size - hits)) if not over.all() else 1.0
    return Share(float(over.mean()), lower, upper, size)


def slowest(latency_ms: Floats, q: float) -> NDArray[np.bool_]:
    """Which requests (n,) were slower than the q-quantile, or than the 95th percentile where q is higher."""
    return latency_ms > percentile(latency_ms, min(q, CLUSTER_LEVEL))


def percentile(values: Floats, q: float) -> float:
    """The smallest value that at least a share q does not exceed (an observed one); NaN for no values."""
    if values.size == 0:
        return float("nan")
    rank = int(np.ceil(q * values.size - 1e-9)) - 1
    return float(np.partition(values, rank)[max(rank, 0)])


def percentile_bounds(values: Floats, q: float, n_effective: float) -> tuple[float, float]:
    """One-sided 95 % bounds on a percentile from order statistics at the effective size; infinite where unknown."""
    from scipy.stats import beta

    if values.size == 0:
        return float("nan"), float("nan")
    hits = q * n_effective
    low = float(beta.ppf(1 - LEVEL, hits, n_effective - hits + 1))
    high = float(beta.ppf(LEVEL, hits + 1, max(n_effective - hits, 1e-9)))
    upper = percentile(values, high) if q**n_effective <= 1 - LEVEL else float("inf")
    return percentile(values, low), upper
