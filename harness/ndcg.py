"""NDCG@k per query group, and its paired loss.

Gain 2^grade - 1, discount 1 / log2(rank + 1) (Järvelin and Kekäläinen, TOIS 2002, in the form of Burges et al. 2005);
equal scores keep the order of the rows. A query group without a positive grade is skipped (NaN), or counts 0 or 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError, ModelError
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
from harness.records import GroupLosses, ListSizeNdcg, NdcgSpec, QualityDrop

_EMPTY = {"skip": np.nan, "zero": 0.0, "one": 1.0}
_LOSS_STEP = 0.02
_N_SIZE_CLASSES = 8


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


def check_contrast(data: RankingData) -> None:
    """ModelError where no query group has two different grades, so that every ranking is as good as any other."""
    starts = data.offsets[:-1]
    if (np.maximum.reduceat(data.grades, starts) == np.minimum.reduceat(data.grades, starts)).all():
        raise ModelError(
            "no query group has two different grades, so NDCG can't tell one model from another",
            where=f"dataset split {data.name!r}",
            remedy="check the grade column, or go without max_drop, ndcg_drop and methods that learn from grades",
        )


def quality_drop(teacher: Floats, compressed: Floats) -> QualityDrop:
    """Paired loss of `compressed` against `teacher`: per-group NDCG of the same query groups in the same order.

    Raises DataError where no query group has a positive grade.
    """
    judged = _judged(teacher, compressed)
    return _drop(teacher[judged], compressed[judged])[0]


def quality_with_tests(
    teacher: Floats, compressed: Floats, margin: float | None = None, group_sizes: NDArray[np.int64] | None = None
) -> QualityDrop:
    """`quality_drop` with its tests: of no difference, and of a loss over a declared `margin`.

    With `group_sizes` (n_groups,) it also tells how the loss is spread over query groups.
    """
    judged = _judged(teacher, compressed)
    before, after = teacher[judged], compressed[judged]
    found, means = _drop(before, after)
    differences = before - after
    more: dict[str, object] = {"randomisation_p": randomisation_p(differences) if np.any(differences) else 1.0}
    if margin is not None:
        more |= {"margin": margin, "margin_p": exceeding_p(means, margin)}
    if group_sizes is not None:
        more["groups"] = _group_losses(before, after, group_sizes[judged])
    return found.model_copy(update=more)


def _judged(teacher: Floats, compressed: Floats) -> NDArray[np.bool_]:
    judged = ~(np.isnan(teacher) | np.isnan(compressed))
    if not judged.any():
        raise DataError("no query group with a positive grade, so NDCG is undefined", remedy="set sla.ndcg.empty")
    return judged


def _drop(teacher: Floats, compressed: Floats) -> tuple[QualityDrop, Floats]:
    differences = teacher - compressed
    means = _means(differences)
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


def _means(differences: Floats) -> Floats:
    return bootstrap_means(differences) if np.any(differences) else np.zeros(N_SAMPLES)


def _group_losses(teacher: Floats, compressed: Floats, sizes: NDArray[np.int64]) -> GroupLosses:
    differences = teacher - compressed
    changed = differences[differences != 0]
    steps, counts = np.unique(np.round(changed / _LOSS_STEP).astype(int), return_counts=True)
    edges = np.unique(np.quantile(sizes, np.linspace(0, 1, _N_SIZE_CLASSES + 1)[1:], method="inverted_cdf"))
    classes = np.searchsorted(edges, sizes)
    return GroupLosses(
        n_unchanged=differences.size - changed.size,
        losses=tuple((round(s * _LOSS_STEP, 2), n) for s, n in zip(steps.tolist(), counts.tolist(), strict=True)),
        list_sizes=tuple(
            _of_sizes(teacher[own], compressed[own], sizes[own])
            for own in (classes == place for place in range(edges.size))
        ),
    )


def _of_sizes(teacher: Floats, compressed: Floats, sizes: NDArray[np.int64]) -> ListSizeNdcg:
    differences = teacher - compressed
    lower, upper = bounds_of(_means(differences))
    return ListSizeNdcg(
        smallest=int(sizes.min()),
        largest=int(sizes.max()),
        n_groups=sizes.size,
        teacher_ndcg=float(teacher.mean()),
        ndcg=float(compressed.mean()),
        drop=float(differences.mean()),
        drop_lower=lower,
        drop_upper=upper,
    )
