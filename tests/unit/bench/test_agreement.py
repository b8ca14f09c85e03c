import numpy as np
import pytest

from harness.bench.agreement import agreement


class Column:
    def __init__(self, change=lambda scores: scores):
        self.change, self.info = change, {}

    def score(self, x):
        return self.change(x[:, 0].copy())


@pytest.fixture
def lists():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(30, 2)).astype(np.float32) for _ in range(10)]


def test_an_engine_agrees_with_itself(lists):
    found = agreement(Column(), Column(), lists)
    assert (found.difference, found.same_order_share, found.top10_share) == (0, 1, 1)
    assert found.kendall_tau == pytest.approx(1)


def test_the_difference_is_a_share_of_the_largest_score(lists):
    largest = max(np.abs(x[:, 0]).max() for x in lists)
    found = agreement(Column(lambda scores: scores + np.float32(0.1 * largest)), Column(), lists)
    assert found.difference == pytest.approx(0.1, rel=1e-3)
    assert found.same_order_share == 1


def test_where_rounding_decides_either_way_is_right(lists):
    reference, other = Column(), Column(np.negative)
    reference.score_either_way = lambda x: [reference.score(x), other.score(x)]
    assert agreement(other, reference, lists).difference == 0
    assert agreement(Column(np.abs), reference, lists).difference > 0.1


def test_the_reverse_order_shares_no_place_at_the_top(lists):
    found = agreement(Column(np.negative), Column(), lists)
    assert (found.same_order_share, found.top10_share) == (0, 0)
    assert found.kendall_tau == pytest.approx(-1)


def test_one_exchange_of_neighbours_costs_two_pairs_of_all():
    x = np.arange(5, dtype=np.float32)[:, None]
    swapped = agreement(Column(lambda scores: scores[[1, 0, 2, 3, 4]]), Column(), [x])
    assert swapped.kendall_tau == pytest.approx(1 - 2 / 10)


def test_lists_of_one_candidate_have_no_rank_correlation(lists):
    assert np.isnan(agreement(Column(), Column(), [x[:1] for x in lists]).kendall_tau)


def test_a_score_that_is_not_finite_differs_infinitely(lists):
    def spoilt(scores):
        scores[3] = np.nan
        return scores

    assert agreement(Column(spoilt), Column(), lists).difference == np.inf
    assert agreement(Column(spoilt), Column(spoilt), lists).difference == np.inf
