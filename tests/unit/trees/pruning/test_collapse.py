"""Collapsing: what it costs, in which order, and that values follow."""

from __future__ import annotations

import numpy as np
import pytest

from harness.trees.forest import Forest, Tree
from harness.trees.pruning.collapse import collapses
from harness.trees.pruning.cover import with_cover
from harness.trees.traverse import leaf_indices, predict


def stump(values, cover, feature=0):
    leaf = [-1, -1]
    return Tree(
        np.array([1, *leaf], dtype=np.int32),
        np.array([2, *leaf], dtype=np.int32),
        np.array([feature, *leaf], dtype=np.int32),
        np.array([0.0, 0.0, 0.0]),
        np.array([False, False, False]),
        np.array([0.0, *values]),
        np.array([sum(cover), *cover], dtype=np.float64),
    )


def test_the_cheapest_stump_goes_first_and_leaves_its_weighted_mean():
    forest = Forest((stump([1.0, 3.0], [10, 30]), stump([0.0, 0.1], [20, 20], 1), stump([0.0, 8.0], [39, 1], 2)), 3)
    sequence = collapses(forest)
    # mean squared changes: 4 * 1/4 * 3/4 = 0.75, 0.01 / 4, 64 * 39/40 * 1/40 = 1.56
    assert sequence.tree.tolist() == [1, 0, 2]
    assert sequence.n_nodes.tolist() == [9, 6, 3, 1]
    one = sequence.after(1)
    assert len(one.trees) == 2, "a tree without a split is folded into another"
    assert np.allclose(one.trees[0].value[1:], [1.05, 3.05])
    everything = sequence.after(3)
    assert everything.n_nodes == 1
    assert everything.trees[0].value[0] == pytest.approx(2.5 + 0.05 + 0.2)


@pytest.mark.parametrize("average", [False, True])
def test_leaf_values_sizes_and_forests_agree_all_along(forest_of, awkward_rows, average):
    forest = forest_of(9, [12, 0, 7, 1, 20], average=average)
    sequence = collapses(forest)
    x = awkward_rows(9, 200)
    leaves = leaf_indices(forest, x)
    assert (np.diff(sequence.n_nodes) < 0).all()
    for m in range(len(sequence) + 1):
        pruned = sequence.after(m)
        total = sum(value[leaf] for value, leaf in zip(sequence.leaf_values(m), leaves, strict=True))
        assert np.allclose(predict(pruned, x), total / (len(forest.trees) if average else 1))
        assert pruned.n_nodes == sequence.n_nodes[m]


def test_each_collapse_is_the_weakest_link(forest_of):
    """Against the definition, computed anew for every subtree after every collapse."""
    forest = forest_of(10, [15, 9])
    sequence = collapses(forest)

    def spread(tree, node, leaves_of):
        leaves = leaves_of(tree, node)
        weight, value = tree.cover[leaves], tree.value[leaves]
        mean = np.average(value, weights=weight)
        return float((weight * (value - mean) ** 2).sum()) / tree.cover[0], len(leaves)

    def leaves_of(tree, node):
        if tree.left[node] < 0:
            return [node]
        return leaves_of(tree, tree.left[node]) + leaves_of(tree, tree.right[node])

    for m in range(len(sequence) - 1):
        current = sequence.after(m)
        best = min(
            cost / (n - 1)
            for tree in current.trees
            for cost, n in [spread(tree, node, leaves_of) for node in np.flatnonzero(~tree.is_leaf)]
        )
        node, tree = int(sequence.node[m]), forest.trees[sequence.tree[m]]
        values = sequence.leaf_values(m)[sequence.tree[m]]
        leaves = leaves_of(tree, node)
        weight, value = tree.cover[leaves], values[leaves]
        cost = float((weight * (value - np.average(value, weights=weight)) ** 2).sum()) / tree.cover[0]
        removed = _leaves_left(tree, node, sequence, m) - 1
        assert cost / removed == pytest.approx(best, rel=1e-9, abs=1e-12)


def _leaves_left(tree, node, sequence, m):
    cut = {int(n) for t, n in zip(sequence.tree[:m], sequence.node[:m], strict=True) if t == sequence.tree[m]}

    def count(node):
        if node in cut or tree.left[node] < 0:
            return 1
        return count(tree.left[node]) + count(tree.right[node])

    return count(node)


def test_fewest_to_meets_the_budget(forest_of):
    sequence = collapses(forest_of(11, [30, 30, 30]))
    for budget in (183, 100, 50, 3, 1):
        m = sequence.fewest_to(budget)
        assert sequence.n_nodes[m] <= budget
        assert m == 0 or sequence.n_nodes[m - 1] > budget


def test_cover_is_counted_over_rows(forest_of, awkward_rows):
    forest = forest_of(12, [6])
    x = awkward_rows(12, 400)
    tree = with_cover(forest, x).trees[0]
    assert tree.cover[0] == 400
    inner = ~tree.is_leaf
    assert np.array_equal(tree.cover[inner], tree.cover[tree.left[inner]] + tree.cover[tree.right[inner]])
    assert np.array_equal(np.bincount(leaf_indices(forest, x)[0], minlength=13)[tree.is_leaf], tree.cover[tree.is_leaf])
