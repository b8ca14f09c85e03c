"""NDCG@k per query group, and paired bounds on its loss.

Gain 2^grade - 1, discount 1 / log2(rank + 1) (Järvelin and Kekäläinen, TOIS 2002, in the form of Burges et al. 2005);
equal scores keep the order of the rows. A query group without a positive grade is skipped (NaN), or counts 0 or 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.ranking_data import Floats, RankingData
from harness.records import NdcgSpec, QualityDrop

_EMPTY = {"skip": np.nan, "zero": 0.0, "one": 1.0}


def ndcg_per_group(
    scores: NDArray[np.floating], grades: NDArray[np.int32], group_sizes: NDArray[np.int64], spec: NdcgSpec
) -> Floats:
    """NDCG@k of each query group, shape (n_groups,); NaN for skipped groups.

    A score that is NaN ranks last.
    """
    group = np.repeat(np.arange(group_sizes.size), group_sizes)
    starts = np.cumsum(group_sizes) - group_sizes
    rank = np.arange(scores.size) - np.repeat(starts, group_sizes)
    top = rank < spec.k
    discount = 1.0 / np.log2(rank[top] + 2.0)
    gain = np.exp2(grades.astype(np.float64)) - 1.0

    def dcg(order: NDArray[np.int64]) -> Floats:
        weights = gain[order][top] * discount
        return np.bincount(group[top], weights, group_sizes.size).astype(np.float64, copy=False)

    keys = -np.nan_to_num(scores.astype(np.float64), nan=-np.inf)
    actual = dcg(np.lexsort((keys, group)))
    ideal = dcg(np.lexsort((-gain, group)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(ideal > 0, actual / ideal, _EMPTY[spec.empty])


def ndcg(scores: NDArray[np.floating], data: RankingData, spec: NdcgSpec) -> Floats:
    """NDCG@k of each query group of `data` under `scores` (n_rows,)."""
    return ndcg_per_group(scores, data.grades, data.group_sizes, spec)


def bootstrap_bounds(
    differences: Floats, *, level: float = 0.95, n_samples: int = 10_000, seed: int = 0, block: int = 256
) -> tuple[float, float]:
    """One-sided lower and upper bounds on the mean difference, each at `level`.

    Percentile bootstrap over query groups (Efron, Annals of Statistics 1979).
    """
    n = differences.size
    rng = np.random.default_rng(seed)
    means = np.empty(n_samples)
    for start in range(0, n_samples, block):
        stop = min(start + block, n_samples)
        means[start:stop] = differences[rng.integers(n, size=(stop - start, n))].mean(axis=1)
    lower, upper = np.quantile(means, [1 - level, level])
    return float(lower), float(upper)


def bootstrap_upper(differences: Floats) -> float:
    """One-sided 95 % upper bound on the mean difference over query groups."""
    return bootstrap_bounds(differences)[1]


def quality_drop(teacher: Floats, compressed: Floats) -> QualityDrop:
    """Paired loss of `compressed` against `teacher`: per-group NDCG of the same query groups in the same order."""
    judged = ~(np.isnan(teacher) | np.isnan(compressed))
    if not judged.any():
        raise DataError("no query group with a positive grade, so NDCG is undefined", remedy="set sla.ndcg.empty")
    differences = (teacher - compressed)[judged]
    lower, upper = bootstrap_bounds(differences) if np.any(differences) else (0.0, 0.0)
    return QualityDrop(
        ndcg=float(compressed[judged].mean()),
        drop=float(differences.mean()),
        drop_lower=lower,
        drop_upper=upper,
        n_groups=int(judged.sum()),
    )
