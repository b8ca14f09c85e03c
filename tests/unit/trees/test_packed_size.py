"""The packed size is its formula, worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.trees.forest import Forest, Tree
from harness.trees.packed_size import model_size, packed_bits


def chain(features, thresholds):
    """A tree that splits on, right child after right child."""
    n = len(features)
    n_nodes = 2 * n + 1
    left, right, feature = (np.full(n_nodes, -1, dtype=np.int32) for _ in range(3))
    threshold = np.zeros(n_nodes)
    for i in range(n):
        node = 2 * i
        left[node], right[node], feature[node], threshold[node] = node + 1, node + 2, features[i], thresholds[i]
    return Tree(left, right, feature, threshold, np.zeros(n_nodes, dtype=bool), np.zeros(n_nodes), np.zeros(n_nodes))


def test_formula_by_hand():
    # features 0 (thresholds 1, 2, 3), 5 (one) and 9 (one): 2 bits name a feature, 2 bits a threshold of feature 0
    forest = Forest((chain([0, 0, 5], [1.0, 2.0, 7.0]), chain([0, 9, 0], [3.0, 7.0, 1.0])), 12)
    inner = 6 * (2 + 2) + 4 * 2
    leaves = 8 * (1 + 64)
    tables = 3 * 64 + 32 * 5
    assert packed_bits(forest) == inner + leaves + tables
    assert packed_bits(forest, leaf_bits=8) == inner + 8 * 9 + tables
    size = model_size(forest)
    assert (size.n_trees, size.n_nodes, size.n_leaves, size.n_parameters) == (2, 14, 8, 14)
    assert size.packed_bits_per_node == (inner + leaves + tables) / 14


def test_a_set_of_categories_counts_as_a_threshold_as_long_as_it_is():
    by_set = np.array([1, -1, 0, -1, -1], dtype=np.int32)
    sets = (np.array([4, 7], dtype=np.int32), np.array([0, 1, 9], dtype=np.int32))
    forest = Forest((replace(chain([3, 3], [0.0, 0.0]), category_set=by_set, sets=sets),), 4)
    assert packed_bits(forest) == 2 * (2 + 0 + 1) + 3 * (1 + 64) + 32 * (2 + 2 + 5)


def test_a_forest_without_splits_is_its_leaves():
    forest = Forest((chain([], []), chain([], [])), 3, threshold_type="float32")
    assert packed_bits(forest) == 2 * 33
