"""Level-wise pruning: what is exact about it, and that it makes good for what it cuts."""

from __future__ import annotations

from dataclasses import replace

import hand_made_trees
import numpy as np
import pytest

from harness.trees.forest import Forest
from harness.trees.pruning.collapse import collapses
from harness.trees.pruning.level_pruning import Goal, LevelPruning
from harness.trees.traverse import leaf_indices, predict

N_ROWS, PER_GROUP = 1200, 20


@pytest.fixture
def rows():
    return np.random.default_rng(5).normal(size=(N_ROWS, 4)).astype(np.float32)


def goal_of(scores):
    return Goal(scores, np.ones(N_ROWS), np.arange(0, N_ROWS + 1, PER_GROUP))


def pruning_of(forest, x, scores=None):
    own = predict(forest, x)
    return LevelPruning(forest, leaf_indices(forest, x), goal_of(own if scores is None else scores))


def centred_change(forest, other, x):
    return float(np.square(goal_of(np.zeros(N_ROWS)).centred(predict(forest, x) - predict(other, x))).mean())


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("strength", [0.0, 1e-15])
def test_without_penalty_the_scores_stay_what_they_are(forest_of, rows, average, strength):
    forest = forest_of(1, [20, 3, 0, 11], average=average)
    pruned = pruning_of(forest, rows).at(strength).forest()
    assert pruned.n_nodes == forest.n_nodes - (0 if average else 1), "only the tree without a split is folded away"
    assert np.allclose(predict(pruned, rows), predict(forest, rows), rtol=0, atol=1e-6)


def test_a_larger_penalty_leaves_fewer_nodes_down_to_one(forest_of, rows):
    pruning = pruning_of(forest_of(2, [25] * 8), rows)
    n_nodes = [pruning.at(strength).n_nodes for strength in (0.0, 1e-5, 1e-4, 1e-3, 1e-2, np.inf)]
    assert n_nodes == sorted(n_nodes, reverse=True)
    assert len(set(n_nodes)) >= 5
    assert n_nodes[0] == 8 * 51
    assert n_nodes[-1] == 1


@pytest.mark.parametrize("average", [False, True])
def test_scale_and_shift_are_folded_into_the_leaves_exactly(forest_of, rows, average):
    """The values that the search sees by old leaf are those of the forest that is written, on any rows."""
    forest = forest_of(3, [25, 0, 14, 1, 30], average=average)
    pruned = pruning_of(forest, rows).at(2e-3)
    smaller = pruned.forest()
    assert 1 < smaller.n_nodes == pruned.n_nodes < forest.n_nodes
    x = np.random.default_rng(6).normal(size=(300, 4)).astype(np.float32)
    x[::7] = np.nan
    total = sum(value[leaf] for value, leaf in zip(pruned.values, leaf_indices(forest, x), strict=True))
    assert np.allclose(predict(smaller, x), total / (len(forest.trees) if average else 1), rtol=0, atol=1e-9)


def test_what_goes_is_taken_over_by_what_stays(rows):
    """The case it is for: a tree whose split another tree has too. Collapsing alone can't make good for it."""
    forest = Forest((stump(0.5), stump(2.0), stump(2.5, feature=1)), 4)
    pruned = pruning_of(forest, rows).at(0.1).forest()
    assert pruned.n_nodes == 6
    sequence = collapses(forest)
    collapsed = sequence.after(sequence.fewest_to(6))
    assert centred_change(forest, pruned, rows) < 0.01 * centred_change(forest, collapsed, rows)


def test_at_equal_size_it_stays_nearer_to_the_scores_than_collapsing(forest_of, rows):
    forest = forest_of(4, [25] * 20)
    pruned = pruning_of(forest, rows).at(1e-4).forest()
    sequence = collapses(forest)
    collapsed = sequence.after(sequence.fewest_to(pruned.n_nodes))
    assert pruned.n_nodes < 0.6 * forest.n_nodes
    assert centred_change(forest, pruned, rows) < 0.7 * centred_change(forest, collapsed, rows)


def test_a_tree_that_only_tells_query_groups_apart_costs_nothing(forest_of):
    x = np.random.default_rng(8).normal(size=(N_ROWS, 4)).astype(np.float32)
    x[:, 1] = np.repeat(np.linspace(-1, 1, N_ROWS // PER_GROUP), PER_GROUP)
    forest = Forest((stump(1.0), stump(0.9, feature=1)), 4)
    pruned = pruning_of(forest, x).at(0.3).forest()
    assert [int(tree.feature[0]) for tree in pruned.trees] == [0]


def test_other_scores_draw_the_leaves_towards_them_where_nothing_is_cut(rows):
    forest = Forest((stump(1.0),), 4)
    doubled = pruning_of(forest, rows, 2 * predict(forest, rows)).at(1e-15).forest()
    assert np.ptp(doubled.trees[0].value[1:]) == pytest.approx(4.0, rel=0.05)


def stump(height, feature=0):
    tree = hand_made_trees.stump(feature, 0.0, -height, height, default_left=False)
    return replace(tree, cover=np.array([200.0, 100.0, 100.0]))
