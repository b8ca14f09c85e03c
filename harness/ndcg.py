"""NDCG@k per query group, and its paired loss.

Gain 2^grade - 1, discount 1 / log2(rank + 1) (Järvelin and Kekäläinen, TOIS 2002, in the form of Burges et al. 2005);
equal scores keep the order of the rows. A query group without a positive grade is skipped (NaN), or counts 0 or 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.paired import (
    N_SAMPLES,
    bootstrap_means,
    bounds_of,
    exceeding_p,
    randomisation_p,
    share_losing,
    worst_tenth,
)
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


def quality_drop(teacher: Floats, compressed: Floats) -> QualityDrop:
    """Paired loss of `compressed` against `teacher`: per-group NDCG of the same query groups in the same order.

    Raises DataError where no query group has a positive grade.
    """
    drop, _ = _drop(*_judged(teacher, compressed))
    return drop


def quality_with_tests(teacher: Floats, compressed: Floats, margin: float | None = None) -> QualityDrop:
    """`quality_drop` with its tests: of no difference, and of a loss over a declared `margin`."""
    before, after = _judged(teacher, compressed)
    found, means = _drop(before, after)
    differences = before - after
    tests = {"randomisation_p": randomisation_p(differences) if np.any(differences) else 1.0}
    if margin is not None:
        tests |= {"margin": margin, "margin_p": exceeding_p(means, margin)}
    return found.model_copy(update=tests)


def _judged(teacher: Floats, compressed: Floats) -> tuple[Floats, Floats]:
    judged = ~(np.isnan(teacher) | np.isnan(compressed))
    if not judged.any():
        raise DataError("no query group with a positive grade, so NDCG is undefined", remedy="set sla.ndcg.empty")
    return teacher[judged], compressed[judged]


def _drop(teacher: Floats, compressed: Floats) -> tuple[QualityDrop, Floats]:
    differences = teacher - compressed
    means = bootstrap_means(differences) if np.any(differences) else np.zeros(N_SAMPLES)
    lower, upper = bounds_of(means)
    drop = QualityDrop(
        ndcg=float(compressed.mean()),
        drop=float(differences.mean()),
        drop_lower=lower,
        drop_upper=upper,
        n_groups=differences.size,
        share_losing=share_losing(differences),
        worst_tenth=worst_tenth(differences),
    )
    return drop, means
