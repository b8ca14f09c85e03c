import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from harness.errors import DataError
from harness.ndcg import bootstrap_bounds, ndcg_per_group, quality_drop
from harness.records import NdcgSpec


@pytest.mark.parametrize("k", [1, 3, 10, 50])
def test_agrees_with_scikit_learn(k):
    rng = np.random.default_rng(0)
    sizes = np.array([2, 30, 7, 12])
    grades = rng.integers(0, 5, sizes.sum()).astype(np.int32)
    scores = rng.normal(size=sizes.sum())
    ours = ndcg_per_group(scores, grades, sizes, NdcgSpec(k=k))
    for group, (start, size) in enumerate(zip(np.cumsum(sizes) - sizes, sizes, strict=True)):
        rows = slice(start, start + size)
        theirs = ndcg_score([2.0 ** grades[rows] - 1], [scores[rows]], k=k)
        assert ours[group] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(("empty", "expected"), [("skip", np.nan), ("zero", 0.0), ("one", 1.0)])
def test_a_group_without_positives_counts_as_declared(empty, expected):
    grades, sizes = np.array([0, 0, 1, 0], dtype=np.int32), np.array([2, 2])
    values = ndcg_per_group(np.array([1.0, 2.0, 3.0, 1.0]), grades, sizes, NdcgSpec(empty=empty))
    np.testing.assert_equal(values, [expected, 1.0])


def test_a_group_of_one_and_nan_scores():
    values = ndcg_per_group(
        np.array([np.nan, np.nan, 1.0]), np.array([1, 0, 1], dtype=np.int32), np.array([1, 2]), NdcgSpec()
    )
    np.testing.assert_allclose(values, [1.0, 1.0])


def test_equal_scores_keep_the_row_order():
    first = ndcg_per_group(np.zeros(2), np.array([1, 0], dtype=np.int32), np.array([2]), NdcgSpec(k=1))
    second = ndcg_per_group(np.zeros(2), np.array([0, 1], dtype=np.int32), np.array([2]), NdcgSpec(k=1))
    assert (first[0], second[0]) == (1.0, 0.0)


def test_the_bound_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = [bootstrap_bounds(rng.normal(size=80), n_samples=400)[1] >= 0 for _ in range(300)]
    assert 0.90 <= np.mean(covered) <= 0.99


def test_drop_is_paired_and_skips_undefined_groups():
    drop = quality_drop(np.array([0.5, np.nan, 0.7]), np.array([0.4, np.nan, 0.7]))
    assert (drop.drop, drop.n_groups) == (pytest.approx(0.05), 2)
    assert drop.drop_lower <= drop.drop <= drop.drop_upper
    same = quality_drop(np.array([0.5, 0.6]), np.array([0.5, 0.6]))
    assert (same.drop, same.drop_lower, same.drop_upper) == (0, 0, 0)
    with pytest.raises(DataError, match="no query group with a positive"):
        quality_drop(np.array([np.nan]), np.array([np.nan]))
