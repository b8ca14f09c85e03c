"""Traversal against the definition, one row and one comparison at a time."""

from __future__ import annotations

import numpy as np
import pytest

from harness.trees import traverse
from harness.trees.forest import LEAF


def leaf_by_definition(tree, row, operator):
    node = 0
    while tree.left[node] != LEAF:
        value, threshold = float(row[tree.feature[node]]), float(tree.threshold[node])
        goes_left = value < threshold if operator == "<" else value <= threshold
        if tree.category_set[node] >= 0:
            goes_left = value >= 0 and np.trunc(value) in tree.categories(node).tolist()
        if np.isnan(value):
            goes_left = bool(tree.default_left[node])
        node = int(tree.left[node] if goes_left else tree.right[node])
    return node


@pytest.mark.parametrize("categories", ["", "any"])
@pytest.mark.parametrize("operator", ["<", "<="])
def test_leaf_index_is_the_definition(forest_of, awkward_rows, operator, categories):
    tree = forest_of(5, [20], categories=categories).trees[0]
    x = awkward_rows(5, 300)
    expected = [leaf_by_definition(tree, row, operator) for row in x]
    assert traverse.leaf_index(tree, x, operator).tolist() == expected


def test_rows_are_scored_alike_in_blocks(forest_of, awkward_rows, monkeypatch):
    forest = forest_of(6, [5, 7])
    x = awkward_rows(6, 100)
    whole, leaves = traverse.predict(forest, x), traverse.leaf_indices(forest, x)
    monkeypatch.setattr(traverse, "_BLOCK_ROWS", 7)
    assert np.array_equal(traverse.predict(forest, x), whole)
    assert np.array_equal(traverse.leaf_indices(forest, x), leaves)


def test_no_rows(forest_of):
    forest = forest_of(7, [3, 0])
    assert traverse.predict(forest, np.empty((0, 4), dtype=np.float32)).shape == (0,)
    assert traverse.leaf_indices(forest, np.empty((0, 4), dtype=np.float32)).shape == (2, 0)


def test_float64_thresholds_are_not_rounded_to_float32(forest_of):
    tree = forest_of(8, [1]).trees[0]
    just_below = np.nextafter(np.float64(np.float32(1 / 3)), -1.0)
    tree.threshold[0] = just_below
    x = np.full((1, 4), np.float32(1 / 3))
    assert traverse.leaf_index(tree, x)[0] == tree.right[0]
