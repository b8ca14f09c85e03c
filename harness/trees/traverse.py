"""Where rows land in a tree, and what a forest scores, in numpy: exact, independent of every tree library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features, Floats
from harness.trees.forest import LEAF, NUMERICAL, Forest, Ints, Operator, Tree

_BLOCK_ROWS = 32_768


def leaf_index(tree: Tree, x: Features, operator: Operator = "<=") -> NDArray[np.int32]:
    """Index of the leaf that each row of x (n, n_features) reaches, shape (n,).

    Rows are handed down the tree in groups, so the work is one gather and one comparison per row and level.
    Thresholds are compared as float64, as LightGBM and Treelite do. Column-major x is faster. Negative numbers are no
    category, as in XGBoost and Treelite; LightGBM alone reads those above -1 as category 0.
    """
    reached = np.empty(x.shape[0], dtype=np.int32)
    descend(tree, x, operator, [(0, np.arange(x.shape[0]))], reached)
    return reached


def descend(
    tree: Tree, x: Features, operator: Operator, pending: list[tuple[int, NDArray[np.intp]]], reached: Ints
) -> None:
    """Hand rows of x down the tree, each group of `pending` from its node on, and note in `reached` where they end."""
    pending = list(pending)
    while pending:
        node, rows = pending.pop()
        if not rows.size:
            continue
        if tree.left[node] == LEAF:
            reached[rows] = node
            continue
        column, default_left = x[rows, tree.feature[node]], bool(tree.default_left[node])
        if tree.category_set[node] == NUMERICAL:
            goes_left = _goes_left(column, tree.threshold[node], default_left, operator)
        else:
            goes_left = np.where(np.isnan(column), default_left, _among(column, tree.categories(int(node))))
        pending.append((int(tree.left[node]), rows[goes_left]))
        pending.append((int(tree.right[node]), rows[~goes_left]))


def leaf_indices(forest: Forest, x: Features, dtype: Any = np.int32) -> NDArray[Any]:
    """Leaf of every row in every tree, shape (n_trees, n), of a type that holds the trees' node numbers."""
    reached = np.empty((len(forest.trees), x.shape[0]), dtype=dtype)
    for rows, block in _blocks(x):
        for index, tree in enumerate(forest.trees):
            reached[index, rows] = leaf_index(tree, block, forest.operator)
    return reached


def predict(forest: Forest, x: Features) -> Floats:
    """Raw scores (n,) of x (n, n_features) float32, summed in tree order in the forest's own type."""
    dtype = np.dtype(forest.threshold_type)
    total = np.zeros(x.shape[0], dtype=dtype)
    for rows, block in _blocks(x):
        for tree in forest.trees:
            total[rows] += tree.value.astype(dtype)[leaf_index(tree, block, forest.operator)]
    if forest.average:
        total /= dtype.type(len(forest.trees))
    total += dtype.type(forest.base_score)
    return total.astype(np.float64)


def _goes_left(column: Features, threshold: np.float64, default_left: bool, operator: Operator) -> NDArray[np.bool_]:
    # Comparisons with NaN are False, so asking the opposite question sends NaN the other way.
    if operator == "<=":
        return ~(column > threshold) if default_left else column <= threshold
    return ~(column >= threshold) if default_left else column < threshold


def _among(column: Features, categories: Ints) -> NDArray[np.bool_]:
    return np.isin(np.trunc(column.astype(np.float64)), categories) & (column >= 0)


def _blocks(x: Features) -> Iterator[tuple[slice, Features]]:
    for start in range(0, x.shape[0], _BLOCK_ROWS):
        rows = slice(start, min(start + _BLOCK_ROWS, x.shape[0]))
        yield rows, np.asfortranarray(x[rows])
