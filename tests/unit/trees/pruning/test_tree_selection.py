"""Which trees each strategy keeps, on tree scores whose right order is known by construction."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hand_made_trees import leaf, stump

from harness.ranking_data import RankingData
from harness.trees.forest import Forest
from harness.trees.pruning.tree_scores import TreeScores, tree_scores
from harness.trees.pruning.tree_selection import Strategy, select

RANKED = sorted({*get_args(Strategy)} - {"skip"})


def data_of(grades, group_sizes, features=None):
    x = np.zeros((len(grades), 0)) if features is None else features
    names = tuple(f"f{i}" for i in range(x.shape[1]))
    return RankingData("valid", x.astype(np.float32), np.array(grades, np.int32), np.array(group_sizes), names)


def pairs_of(groups, own_level=()):
    """Query groups of a worse and a better candidate, the worse one first: it wins where scores are equal.

    groups: by query group what each tree adds to the better candidate, so a group is ranked well where the kept trees
    add up to more than 0; own_level: trees that also add to both, in each query group something else.
    """
    better = np.array(groups, dtype=np.float32).T
    matrix = np.stack([np.zeros_like(better), better], axis=2).reshape(better.shape[0], -1)
    for tree in own_level:
        matrix[tree] += np.repeat(64 * np.arange(better.shape[1]), 2)
    return TreeScores(matrix, data_of([0, 1] * better.shape[1], [2] * better.shape[1]), 10)


def order_of(strategy, scores):
    return select(strategy, scores).order.tolist()


def random_scores(seed, n_trees=7):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 9, size=40)
    data = data_of(rng.integers(4, size=sizes.sum()), sizes)
    signal = rng.uniform(0, 1, size=(n_trees, 1)) * data.grades
    shared = rng.normal(size=data.n_rows)
    matrix = (
        signal + 0.7 * shared + rng.normal(size=(n_trees, data.n_rows)) + 3 * rng.normal(size=40)[data.group_of_row]
    )
    return TreeScores(matrix.astype(np.float32), data, 5)


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        ("last", ["nothing", "noise", "decider"]),
        ("score_loss", ["noise", "decider", "nothing"]),  # noise moves scores most
        ("ridge_loss", ["noise", "decider", "nothing"]),  # the teacher's scores are mostly noise
        ("quality_loss", ["decider", "nothing", "noise"]),
        ("quality_loss_greedy", ["decider", "nothing", "noise"]),
        ("low_weights", ["decider", "nothing", "noise"]),
    ],
)
def test_a_tree_that_decides_one_that_adds_nothing_and_one_that_adds_noise(strategy, order):
    trees = ["nothing", "noise", "decider"]
    groups = [(0, noise, 1) for noise in (-3, 3, -1.5, 1.5, -0.5, 0.5)]
    assert [trees[i] for i in order_of(strategy, pairs_of(groups, own_level=[0]))] == order


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        ("quality_loss", ["helper", "twin", "lesser twin"]),  # each twin goes alone at little cost
        ("quality_loss_greedy", ["twin", "helper", "lesser twin"]),  # once one has gone, the other must stay
        ("ridge_loss", ["twin", "helper", "lesser twin"]),
        ("score_loss", ["twin", "lesser twin", "helper"]),
    ],
)
def test_a_tree_that_another_can_stand_in_for(strategy, order):
    trees = ["lesser twin", "helper", "twin"]
    groups = [(1, 0, 1)] * 4 + [(0, 0, 1)] + [(0, 1, 0)] * 2
    assert [trees[i] for i in order_of(strategy, pairs_of(groups))] == order


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        ("low_weights", ["other", "nothing", "loud"]),
        ("quality_loss", ["loud", "other", "nothing"]),
        ("quality_loss_greedy", ["loud", "other", "nothing"]),
    ],
)
def test_a_tree_that_is_needed_but_at_a_lower_weight(strategy, order):
    """The loud tree decides four query groups alone, and in two of them drowns the tree that is right."""
    trees = ["loud", "nothing", "other"]
    groups = [(1, 0, 0)] * 4 + [(-1.7, 0, 1)] * 2 + [(0, 0, 1)]
    assert [trees[i] for i in order_of(strategy, pairs_of(groups))] == order


def test_score_loss_is_the_mean_absolute_change_within_query_groups():
    """Neither squares, by which the first tree leads, nor signed means, nor levels, by which the last does."""
    groups = [(6, 1.5, 0), (0, -1.5, 0.25), (0, 1.5, 0), (0, -1.5, 0), (0, 1.5, 0)]
    assert order_of("score_loss", pairs_of(groups, own_level=[2])) == [1, 0, 2]


@pytest.mark.parametrize("strategy", ["quality_loss", "quality_loss_greedy"])
def test_many_trees_are_ranked_by_the_query_groups_that_each_decides_alone(strategy):
    """So many that the greedy strategy removes several at once."""
    n_groups = np.random.default_rng(2).permutation(45) + 1
    scores = pairs_of(np.repeat(np.eye(45), n_groups, axis=0))
    assert n_groups[order_of(strategy, scores)].tolist() == list(range(45, 0, -1))


@pytest.mark.parametrize("seed", range(4))
def test_ridge_loss_removes_what_costs_a_refit_least(seed):
    """Against trying every removal, with a new fit to four parts teacher's scores and one part gains."""
    scores = random_scores(seed)
    data, n = scores.data, scores.n_trees

    def centred(values):
        return (
            values - np.array([values[data.rows_of(g)].mean(axis=0) for g in range(data.n_groups)])[data.group_of_row]
        )

    x = centred(scores.matrix.T.astype(np.float64))
    teacher, gains = x.sum(axis=1), centred(2.0**data.grades - 1)
    target = 0.8 * teacher + 0.2 * gains * teacher.std() / gains.std()
    penalty = 1e-4 * np.square(x).mean() * data.n_rows

    def loss(kept):
        weights = np.linalg.solve(x[:, kept].T @ x[:, kept] + penalty * np.eye(len(kept)), x[:, kept].T @ target)
        return np.square(x[:, kept] @ weights - target).sum() + penalty * np.square(weights).sum()

    left, removed = list(range(n)), []
    while len(left) > 1:
        removed.append(min(left, key=lambda tree: loss([other for other in left if other != tree])))
        left.remove(removed[-1])
    assert order_of("ridge_loss", scores) == [*left, *reversed(removed)]


def test_random_depends_on_its_seed_only():
    one, other = random_scores(1), random_scores(2)
    drawn = [select("random", one, seed).order.tolist() for seed in range(200)]
    assert drawn == [select("random", other, seed).order.tolist() for seed in range(200)]
    assert all(sorted(order) == list(range(7)) for order in drawn)
    assert len({tuple(order) for order in drawn}) > 150
    assert np.bincount([order[0] for order in drawn], minlength=7).min() > 200 / 7 / 2, "every tree has its chance"


@pytest.mark.parametrize("strategy", sorted({*RANKED} - {"random"}))
def test_the_others_do_not_depend_on_the_seed(strategy):
    scores = random_scores(1)
    assert select(strategy, scores, 1).order.tolist() == select(strategy, scores, 2).order.tolist()


def test_skip_spaces_the_trees_that_stay_evenly():
    selection = select("skip", random_scores(1, n_trees=11))
    for n in range(1, 12):
        kept = selection.keep(n).tolist()
        gaps = np.diff([*kept, 11])
        assert len(kept) == n
        assert kept[0] == 0
        assert gaps.min() >= 1
        assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("strategy", RANKED)
def test_the_first_of_the_order_are_kept_in_the_order_of_the_forest(strategy):
    selection = select(strategy, random_scores(3), seed=5)
    assert sorted(selection.order.tolist()) == list(range(7))
    for n in range(1, 8):
        assert selection.keep(n).tolist() == sorted(selection.order[:n].tolist())


def test_the_scores_are_those_of_the_trees():
    """Real trees of one split: one that decides the ranking, one that adds nothing, one that adds noise."""
    x = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0, 0], [1, 1], [0, 1], [1, 0]])
    data = data_of([0, 1] * 4, [2] * 4, x)
    forest = Forest((stump(1, 0.5, -3.0, 2.0), leaf(7.0), stump(0, 0.5, 0.5, 1.5)), 2, base_score=100.0)
    scores = tree_scores(forest, data, 10)
    noise = [-3, -3, 2, 2, -3, 2, 2, -3]
    assert scores.matrix.tolist() == [noise, [7] * 8, [0.5, 1.5] * 4]
    assert scores.total.tolist() == [a + 7 + b for a, b in zip(noise, [0.5, 1.5] * 4, strict=True)]
    assert order_of("quality_loss", scores) == [2, 1, 0]
    assert order_of("score_loss", scores) == [0, 2, 1]
