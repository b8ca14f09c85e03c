"""Paired differences per query group: bounds on their mean, tests of it, and the tail that a mean hides."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

N_SAMPLES = 10_000
LARGE_LOSS = 0.1
"""A query group that loses more NDCG than this is one whose users may notice."""

_BLOCK = 256


def bootstrap_means(differences: Floats, *, n_samples: int = N_SAMPLES, seed: int = 0) -> Floats:
    """Means (n_samples,) of resampled query groups, by which bounds and p-values are read off.

    Percentile bootstrap over query groups (Efron, Annals of Statistics 1979). Equal seeds give equal means.
    """
    n = differences.size
    rng = np.random.default_rng(seed)
    means = np.empty(n_samples)
    for start in range(0, n_samples, _BLOCK):
        stop = min(start + _BLOCK, n_samples)
        drawn = rng.integers(n, size=(stop - start, n), dtype=np.int32)
        means[start:stop] = differences.take(drawn).mean(axis=1)
    return means


def bounds_of(means: Floats, level: float = 0.95) -> tuple[float, float]:
    """One-sided lower and upper bounds, each at `level`, from bootstrap means."""
    lower, upper = np.quantile(means, [1 - level, level])
    return float(lower), float(upper)


def exceeding_p(means: Floats, margin: float) -> float:
    """p-value of "the mean difference is over `margin`": small where that can be excluded.

    It is at most 1 - level where the upper bound at that level is at most `margin`, give or take one sample.
    """
    return float(1 + np.count_nonzero(means > margin)) / (1 + means.size)


def randomisation_p(differences: Floats, *, n_samples: int = N_SAMPLES, seed: int = 0) -> float:
    """Two-sided p-value of "both sides are the same": how often random signs give a mean as far from 0 as the one seen.

    Fisher's randomisation test (The Design of Experiments, 1935), as Smucker, Allan and Carterette recommend it for
    retrieval (CIKM 2007). Never 0: the signs that were seen count too.
    """
    total = float(differences.sum())
    rng = np.random.default_rng(seed)
    n_bytes = -(-differences.size // 8)
    n_extreme = 0
    for start in range(0, n_samples, _BLOCK):
        n = min(_BLOCK, n_samples - start)
        bits = np.frombuffer(rng.bytes(n * n_bytes), dtype=np.uint8).reshape(n, n_bytes)
        kept = np.unpackbits(bits, axis=1, count=differences.size).astype(np.float64)
        sums = 2 * (kept @ differences) - total
        n_extreme += int(np.count_nonzero(np.abs(sums) >= abs(total) * (1 - 1e-9)))
    return (1 + n_extreme) / (1 + n_samples)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values adjusted for having been tested together (Holm, Scandinavian Journal of Statistics 1979).

    What stays at or below a level holds for all at once at that level. NaN is no test, and stays NaN.
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    adjusted, most = [math.nan] * len(p_values), 0.0
    for rank, (p, place) in enumerate(tested):
        most = max(most, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = most
    return tuple(adjusted)


def share_losing(differences: Floats, loss: float = LARGE_LOSS) -> float:
    """Share of query groups whose difference is over `loss`."""
    return float(np.mean(differences > loss))


def worst_tenth(differences: Floats) -> float:
    """Mean difference of the tenth of the query groups (at least one) that lose most."""
    n = -(-differences.size // 10)
    return float(np.partition(differences, differences.size - n)[-n:].mean())
