import ir_measures
import numpy as np
import pytest

from harness.errors import DataError
from harness.ndcg import ndcg_per_group, quality_drop, quality_with_tests
from harness.records import NdcgSpec


@pytest.mark.parametrize("k", [1, 3, 10, 50])
def test_agrees_with_ir_measures(k):
    """Its trec_eval takes gains as they are given, so it gets 2^grade - 1; no scores are equal, for it orders ties."""
    rng = np.random.default_rng(3)
    sizes = np.array([2, 40, 7, 25])
    grades = rng.integers(0, 5, sizes.sum()).astype(np.int32)
    scores = rng.permutation(sizes.sum()).astype(np.float64)
    groups = np.repeat(np.arange(sizes.size), sizes).astype(str)
    names = [f"d{i}" for i in range(grades.size)]
    judged = [ir_measures.Qrel(*one) for one in zip(groups, names, (2**grades - 1).tolist(), strict=True)]
    ranked = [ir_measures.ScoredDoc(*one) for one in zip(groups, names, scores.tolist(), strict=True)]
    found = {one.query_id: one.value for one in ir_measures.iter_calc([ir_measures.nDCG @ k], judged, ranked)}
    ours = ndcg_per_group(scores, grades, sizes, NdcgSpec(k=k))
    np.testing.assert_allclose(ours, [found[str(group)] for group in range(sizes.size)], atol=1e-6)


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


def test_drop_is_paired_and_skips_undefined_groups():
    drop = quality_drop(np.array([0.5, np.nan, 0.7]), np.array([0.4, np.nan, 0.7]))
    assert (drop.drop, drop.n_groups) == (pytest.approx(0.05), 2)
    assert drop.drop_lower <= drop.drop <= drop.drop_upper
    same = quality_drop(np.array([0.5, 0.6]), np.array([0.5, 0.6]))
    assert (same.drop, same.drop_lower, same.drop_upper) == (0, 0, 0)
    with pytest.raises(DataError, match="no query group with a positive"):
        quality_drop(np.array([np.nan]), np.array([np.nan]))


def test_the_tests_agree_with_the_bounds():
    rng = np.random.default_rng(5)
    before = rng.random(400)
    worse = before - rng.normal(0.01, 0.05, 400)
    drop = quality_with_tests(before, worse, 0.02)
    assert (drop.margin_p <= 0.05) == (drop.drop_upper <= 0.02)
    assert quality_with_tests(before, worse, drop.drop_upper + 1e-4).margin_p <= 0.05
    assert quality_with_tests(before, worse, drop.drop_upper - 1e-4).margin_p > 0.05
    assert drop.randomisation_p < 0.05 < quality_with_tests(before, before[::-1].copy(), None).randomisation_p
    assert np.isnan(quality_with_tests(before, worse, None).margin_p)


def test_the_same_scores_lose_nothing_for_certain():
    same = quality_with_tests(np.array([0.5, 0.6]), np.array([0.5, 0.6]), 0.0)
    assert (same.drop_upper, same.randomisation_p, same.share_losing, same.worst_tenth) == (0, 1, 0, 0)
    assert same.margin_p < 0.001
