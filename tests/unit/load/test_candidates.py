"""Candidate lists come from real query groups, repeatably, at the declared length."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from harness.load.candidates import candidate_lists, list_lengths, random_candidates
from harness.ranking_data import RankingData, Splits
from harness.scenario.traffic import CandidateCount, DlrmCandidates, LognormalCandidates, Traffic


@pytest.fixture
def numbered() -> RankingData:
    """Four groups of 2, 3, 4 and 5 rows, whose features are the row number."""
    rows = np.arange(14, dtype=np.float32)
    sizes = np.array([2, 3, 4, 5])
    return RankingData("test", np.stack([rows, -rows], axis=1), np.ones(14, np.int32), sizes, ("a", "b"))


def test_lists_have_the_declared_length_and_use_each_row_before_any_twice(numbered: RankingData) -> None:
    lists = candidate_lists(numbered, Traffic(n_candidates=6, n_bodies=14))
    assert [x.shape for x in lists] == [(6, 2)] * 14
    assert all(x.dtype == np.float32 for x in lists)
    passes = np.concatenate(lists)[:, 0].reshape(6, 14)
    assert all(sorted(rows) == list(range(14)) for rows in passes)
    assert len({tuple(rows) for rows in passes}) > 1


def test_groups_stay_together(numbered: RankingData) -> None:
    rows = np.concatenate(candidate_lists(numbered, Traffic(n_candidates=14, n_bodies=1)))[:, 0]
    starts_of_groups = {0, 2, 5, 9}
    assert all(b == a + 1 or b in starts_of_groups for a, b in pairwise(rows))


def test_a_list_longer_than_the_data_repeats_it(numbered: RankingData) -> None:
    (x,) = candidate_lists(numbered, Traffic(n_candidates=30, n_bodies=1))
    assert x.shape == (30, 2)


def test_null_takes_the_query_groups_as_they_are(numbered: RankingData) -> None:
    lists = candidate_lists(numbered, Traffic(n_candidates=None, n_bodies=8))
    assert sorted(x.shape[0] for x in lists[:4]) == [2, 3, 4, 5]
    assert sorted(x.shape[0] for x in lists[4:]) == [2, 3, 4, 5]
    for x in lists:
        np.testing.assert_array_equal(np.diff(x[:, 0]), 1)


def test_dlrm_lengths_are_the_twenty_quantiles() -> None:
    lengths = list_lengths(DlrmCandidates(kind="dlrm"), 40, np.random.default_rng(1))
    values, counts = np.unique(lengths, return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {
        100: 4, 200: 24, 300: 4, 400: 2, 500: 2, 600: 2, 700: 2,
    }  # fmt: skip
    assert lengths.tolist() != sorted(lengths.tolist())


def test_lognormal_lengths_have_their_median_and_spread_and_are_cut() -> None:
    shape = LognormalCandidates(kind="lognormal", median=80, sigma=0.7, max=300)
    lengths = list_lengths(shape, 4000, np.random.default_rng(1))
    assert np.median(lengths) == pytest.approx(80, abs=1)
    assert np.quantile(lengths, 0.8413) == pytest.approx(80 * np.exp(0.7), rel=0.02)
    assert (lengths.min() >= 1, lengths.max()) == (True, 300)


def test_lists_of_drawn_lengths_use_each_row_before_any_twice(numbered: RankingData) -> None:
    shape = LognormalCandidates(kind="lognormal", median=5, sigma=0.5, max=9)
    lists = candidate_lists(numbered, Traffic(n_candidates=shape, n_bodies=30))
    assert len({x.shape[0] for x in lists}) > 3
    rows = np.concatenate(lists)[:, 0]
    assert sorted(rows[:14]) == sorted(rows[14:28]) == list(range(14))


@pytest.mark.parametrize(
    "n_candidates",
    [20, DlrmCandidates(kind="dlrm"), LognormalCandidates(kind="lognormal", median=9, sigma=0.7, max=40)],
)
def test_random_candidates_are_a_group_per_body_of_the_drawn_length(n_candidates: CandidateCount) -> None:
    traffic = Traffic(n_candidates=n_candidates, n_bodies=40, n_features=3)
    data = random_candidates(traffic)
    lists = candidate_lists(data, traffic)
    assert sorted(x.shape[0] for x in lists) == sorted(data.group_sizes)
    assert {x.shape[1] for x in lists} == {3}
    sent = np.concatenate(lists)
    np.testing.assert_array_equal(np.sort(sent, axis=0), np.sort(data.features, axis=0))  # each row once
    assert abs(float(sent.mean())) < 0.1
    assert not data.grades.any()
    np.testing.assert_array_equal(random_candidates(traffic).features, data.features)


@pytest.mark.parametrize("n_candidates", [20, None, DlrmCandidates(kind="dlrm")])
def test_same_seed_same_lists(splits: Splits, n_candidates: CandidateCount) -> None:
    traffic = Traffic(n_candidates=n_candidates, n_bodies=30)
    lists, again = candidate_lists(splits.test, traffic), candidate_lists(splits.test, traffic)
    for x, y in zip(lists, again, strict=True):
        np.testing.assert_array_equal(x, y)
    other = candidate_lists(splits.test, traffic.model_copy(update={"seed": 2}))
    assert any(
        x.shape != y.shape or not np.array_equal(x, y, equal_nan=True) for x, y in zip(lists, other, strict=True)
    )
