from itertools import pairwise

import ir_measures
import numpy as np
import pytest

from harness.errors import DataError
from harness.ndcg import ndcg_per_group, quality_drop, quality_with_tests
from harness.records import NdcgSpec

OF_SCIKIT_LEARN = [
    # grades, scores, {k: ndcg_score([2.0**grades - 1], [scores], k=k)} of scikit-learn 1.9.1
    ([3, 4], [-1.324, -0.248], {1: 1.0, 5: 1.0, 10: 1.0}),
    (
        [3, 1, 4, 0, 1, 1, 2, 2, 0, 0, 0, 0],
        [1.635, 0.273, -1.233, -0.958, 1.6, 0.203, -1.732, -0.084, -1.163, -0.629, -0.488, -0.713],
        {1: 0.4666666666666667, 5: 0.43027203371427003, 10: 0.4175303168274747},
    ),
    (
        [4, 1, 1, 4, 0, 0, 1],
        [0.83, -1.643, -0.257, -0.981, -0.173, -1.289, 0.021],
        {1: 1.0, 5: 0.8480662123834507, 10: 0.8609953921408255},
    ),
]
"""Kept, for where scikit-learn is installed LightGBM and XGBoost import it, in every process of every test."""


@pytest.mark.parametrize(("grades", "scores", "known"), OF_SCIKIT_LEARN)
def test_agrees_with_scikit_learn(grades, scores, known):
    for k, theirs in known.items():
        ours = ndcg_per_group(np.array(scores), np.array(grades, np.int32), np.array([len(grades)]), NdcgSpec(k=k))
        assert ours[0] == pytest.approx(theirs, abs=1e-12)


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


def test_a_loss_is_spread_over_query_groups_and_list_sizes():
    sizes = np.array([5, 5, 5, 40, 40, 40, 40])
    teacher = np.array([0.50, 0.80, np.nan, 0.90, 0.70, 0.60, 0.60])
    found = quality_with_tests(teacher, teacher - [0.0, 0.04, 0.0, 0.3, 0.3, -0.1, 0.0], group_sizes=sizes).groups
    assert found.n_unchanged == 2
    assert found.losses == ((-0.1, 1), (0.04, 1), (0.3, 2))
    few, many = found.list_sizes
    assert (few.smallest, few.largest, few.n_groups) == (5, 5, 2)
    assert (many.smallest, many.largest, many.n_groups) == (40, 40, 4)
    assert few.teacher_ndcg == pytest.approx(0.65)
    assert many.ndcg == pytest.approx(0.575)
    assert many.drop == pytest.approx(0.125)
    assert many.drop_lower < 0.125 < many.drop_upper


def test_list_sizes_fall_into_at_most_eight_classes_that_hold_every_group():
    sizes = np.random.default_rng(0).integers(1, 300, 1000)
    scores = np.random.default_rng(1).random(1000)
    found = quality_with_tests(scores, scores**2, group_sizes=sizes).groups
    assert len(found.list_sizes) == 8
    assert sum(one.n_groups for one in found.list_sizes) == 1000
    assert all(one.largest < two.smallest for one, two in pairwise(found.list_sizes))
    assert found.n_unchanged + sum(n for _, n in found.losses) == 1000
