"""Who stays, how a list ranks once some have left, and that two parts together are the whole."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from harness.early_exit import EarlyExitScorer, Exit, kth_best, put_behind, standing


class Column:
    """A scorer of one feature."""

    def __init__(self, column, **info):
        self.column, self.info, self.seen = column, info, 0

    def score(self, x):
        self.seen += x.shape[0]
        return x[:, self.column].astype(np.float32)


def exit_by(rule="proximity", **changes):
    described = {"rule": rule, "sentinels": (1,), "k": 2, "cuts": (-0.5,), "base_score": 0.0, "mean_trees": 1.0}
    return Exit.model_validate(described | changes)


def rows(*columns):
    return np.array(columns, dtype=np.float32).T.copy()


def behind(*stages):
    stages = [(np.array(rows, np.intp), np.array(own, np.float32)) for rows, own in stages]
    return put_behind(np.empty(sum(rows.size for rows, _ in stages), np.float32), stages)


def test_only_those_near_the_kth_best_go_through_the_suffix():
    prefix, suffix = Column(0), Column(1)
    scorer = EarlyExitScorer(exit_by(), [prefix, suffix])
    found = scorer.score(rows([3.0, 2.0, 1.5, 1.4, 0.0], [-2.5, 1.0, 0.0, 9.0, 9.0]))
    assert (prefix.seen, suffix.seen) == (5, 3)
    np.testing.assert_array_equal(found[:3], [0.5, 3.0, 1.5])
    assert np.argsort(-found).tolist() == [1, 2, 0, 3, 4], "who left ranks behind, in the order of partial scores"
    assert found[3] - found[4] == pytest.approx(1.4, abs=1e-6)


def test_partial_scores_that_rank_behind_already_are_kept():
    np.testing.assert_array_equal(behind(([1, 2], [1.0, 0.5]), ([0], [4.0])), [4.0, 1.0, 0.5])


def test_who_left_later_ranks_above_who_left_before():
    found = behind(([0, 1], [9.0, 8.0]), ([2], [3.0]), ([3], [5.0]))
    np.testing.assert_array_equal(found[2:], [3.0, 5.0])
    assert found[1] < found[0] < found[2]
    assert found[0] - found[1] == pytest.approx(1.0)


def test_all_alike():
    np.testing.assert_array_equal(behind(([], []), ([0, 1], [7.0, 6.0])), [7.0, 6.0])
    np.testing.assert_array_equal(behind(([0, 1], [1.0, 2.0]), ([], [])), [1.0, 2.0])


def test_each_sentinel_looks_at_those_still_there():
    parts = [Column(0), Column(1), Column(2)]
    scorer = EarlyExitScorer(exit_by(sentinels=(1, 2), cuts=(-1.0, 0.0)), parts)
    found = scorer.score(rows([3.0, 2.0, 1.0, 0.0], [0.0, 0.0, 5.0, 99.0], [1.0, 2.0, 3.0, 99.0]))
    assert [part.seen for part in parts] == [4, 3, 2]
    np.testing.assert_array_equal(found, [4.0, 2.0, 9.0, 0.0])


def test_a_list_that_nobody_stays_in_keeps_its_partial_scores():
    scorer = EarlyExitScorer(exit_by("classifier", cuts=(0.5,)), [Column(0), Column(1)], [Column(1)])
    np.testing.assert_array_equal(scorer.score(rows([2.0, 1.0], [0.0, 0.0])), [2.0, 1.0])


def test_base_score_counts_once():
    scorer = EarlyExitScorer(exit_by(base_score=0.5), [Column(0), Column(1)])
    np.testing.assert_array_equal(scorer.score(rows([1.5, 2.5], [0.75, 0.25])), [1.75, 2.25])


def test_a_list_shorter_than_k_stays_whole():
    assert kth_best(np.array([2.0, 1.0], np.float32), 10) == 1.0
    suffix = Column(1)
    EarlyExitScorer(exit_by(k=10, cuts=(0.0,)), [Column(0), suffix]).score(rows([2.0, 1.0, -9.0], [0, 0, 0]))
    assert suffix.seen == 3


def test_a_candidate_on_the_cut_may_stay_or_leave_by_rounding():
    scorer = EarlyExitScorer(exit_by(), [Column(0), Column(1)])
    x = rows([3.0, 2.0, 1.5, 0.0], [0.0, 0.0, 9.0, 9.0])
    own, staying, leaving = scorer.score_either_way(x)
    np.testing.assert_array_equal(own, scorer.score(x))
    assert (staying[2], leaving[2]) == (10.5, 1.5)
    far = scorer.score_either_way(rows([3.0, 2.0, 1.0], [0.0, 0.0, 9.0]))
    assert all(np.array_equal(far[0], other) for other in far)


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 0},
        {"cuts": ()},
        {"sentinels": (), "cuts": ()},
        {"sentinels": (0,)},
        {"sentinels": (2, 2), "cuts": (-1.0, -1.0)},
        {"cuts": (0.5,)},
        {"cuts": (-np.inf,)},
    ],
)
def test_exits_that_make_no_sense(wrong):
    with pytest.raises(ValidationError):
        exit_by(**wrong)


def test_no_candidates():
    scorer = EarlyExitScorer(exit_by(), [Column(0), Column(1)])
    assert scorer.score(np.empty((0, 2), np.float32)).shape == (0,)


def test_classifier_sees_how_a_candidate_stands_in_its_list():
    np.testing.assert_array_equal(
        standing(np.array([1.0, 3.0, 3.0, 2.0], np.float32), 9),
        [[1, 3, 2, 9], [3, 0, 0, 9], [3, 0, 0, 9], [2, 2, 1, 9]],
    )
    better_than_two = Column(3)  # n_better, behind two features of its own
    found = EarlyExitScorer(exit_by("classifier", cuts=(1.0,)), [Column(0), Column(1)], [better_than_two]).score(
        rows([1.0, 3.0, 2.0], [10.0, 10.0, 10.0])
    )
    assert np.argsort(-found).tolist() == [2, 0, 1]


def test_info_is_that_of_all_parts():
    prefix = Column(0, threads=1, loaded_bytes=10, tolerance=1e-6, float64=True, loaded="a")
    suffix = Column(1, threads=1, loaded_bytes=5, tolerance=1e-6, float64=True, loaded="b", fallback="gtil")
    info = EarlyExitScorer(exit_by(), [prefix, suffix]).info
    assert info == {
        "threads": 1, "loaded_bytes": 15, "tolerance": 2e-6, "float64": True, "whole_lists": True, "fallback": "gtil"
    }  # fmt: skip
