"""Removing features: nothing reads them any more, and the leaves say what the original said for the rows they get."""

from __future__ import annotations

import numpy as np
import pytest

from harness.trees.forest import LEAF, Forest, Tree, features_read
from harness.trees.pruning.fewer_features import FeatureRemoval, Scores, importance
from harness.trees.traverse import leaf_index, predict


@pytest.fixture
def rows():
    return np.random.default_rng(5).normal(size=(1500, 4)).astype(np.float32)


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("gone", [[0], [1, 3], [0, 1, 2, 3]])
def test_no_split_reads_them_and_the_others_stay(forest_of, rows, gone, average):
    forest = forest_of(21, [20, 0, 13, 30], average=average)
    smaller = FeatureRemoval(forest, rows).without(gone)
    assert features_read(smaller).tolist() == [feature for feature in range(4) if feature not in gone]
    scores = predict(smaller, rows)
    other = rows.copy()
    other[:, gone] = np.nan
    assert np.array_equal(predict(smaller, other), scores)
    if len(gone) == 4:
        assert np.ptp(scores) == 0
        assert scores[0] == pytest.approx(predict(forest, rows).mean(), abs=0.05)


def test_leaves_are_the_means_of_what_the_original_gave(forest_of, rows):
    forest = forest_of(22, [25])
    smaller = FeatureRemoval(forest, rows).tree(0, [2])
    original = predict(forest, rows)
    leaf = leaf_index(smaller, rows)
    for node in np.flatnonzero(smaller.is_leaf):
        here = leaf == node
        assert smaller.cover[node] == here.sum()
        if here.sum() > 20:  # a leaf's own value counts as one row more
            assert smaller.value[node] == pytest.approx(original[here].mean(), abs=0.3)
    inner = ~smaller.is_leaf
    assert np.array_equal(
        smaller.cover[inner], smaller.cover[smaller.left[inner]] + smaller.cover[smaller.right[inner]]
    )


def test_it_stays_nearer_than_a_leaf_in_the_place_of_each_split(forest_of, rows):
    forest = forest_of(23, [30] * 5)
    removal = FeatureRemoval(forest, rows)
    for feature in range(4):
        kept = predict(removal.without([feature]), rows)
        collapsed = np.zeros(rows.shape[0])
        for tree in forest.trees:
            output = tree.value[leaf_index(tree, rows)]
            cut = tree.collapsed(~tree.is_leaf & (tree.feature == feature), np.zeros(tree.n_nodes))
            leaf = leaf_index(cut, rows)
            collapsed += (
                np.bincount(leaf, output, cut.n_nodes) / np.maximum(np.bincount(leaf, minlength=cut.n_nodes), 1)
            )[leaf]
        original = predict(forest, rows)
        assert np.square(kept - original).mean() < np.square(collapsed - original).mean()


def test_a_feature_that_no_tree_reads_changes_nothing(forest_of, rows):
    forest = forest_of(24, [9, 9], n_features=4)
    wider = Forest(forest.trees, 6)
    x = np.concatenate([rows, rows[:, :2]], axis=1)
    assert np.array_equal(predict(FeatureRemoval(wider, x).without([4, 5]), x), predict(forest, rows))


@pytest.mark.parametrize("categories", ["", "any"])
@pytest.mark.parametrize("order", [[3, 0, 1, 2], [1, 2, 0, 3], [2, 3, 1, 0]])
def test_scores_follow_one_by_one_and_what_if_asks_change_nothing(forest_of, rows, order, categories):
    rows[::7, 1] = np.nan
    forest = forest_of(25, [1, 40, 18, 7], operator="<", categories=categories)
    removal = FeatureRemoval(forest, rows)
    x = np.random.default_rng(6).normal(size=(400, 4)).astype(np.float32)
    x[::5] = np.nan
    scores = Scores(removal, x)
    assert np.allclose(scores.total, predict(forest, x))
    for n, feature in enumerate(order):
        for other in order[n:]:
            before = scores.total.copy()
            assert np.allclose(scores.without(other), predict(removal.without([*order[:n], other]), x))
            assert np.array_equal(scores.total, before)
        assert np.allclose(scores.remove(feature), predict(removal.without(order[: n + 1]), x))


def test_importance_is_the_variance_that_splits_make():
    tree = Tree(
        np.array([1, LEAF, 3, LEAF, LEAF], dtype=np.int32),
        np.array([2, LEAF, 4, LEAF, LEAF], dtype=np.int32),
        np.array([2, LEAF, 0, LEAF, LEAF], dtype=np.int32),
        np.zeros(5),
        np.zeros(5, dtype=bool),
        np.array([0.0, 3.0, 0.0, 0.0, 2.0]),
        np.array([100.0, 50.0, 50.0, 25.0, 25.0]),
    )
    # right child: mean 1, variance 1 on half of the rows; root: means 3 and 1, variance 1
    assert importance(Forest((tree,), 3)).tolist() == pytest.approx([0.5, 0.0, 1.0])
