"""What a forest scores on a few rows, all trees at once, and rows that reach many of its leaves; in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features, Floats
from harness.trees.forest import LEAF, NUMERICAL, Forest, categories_of, thresholds_by_split
from harness.trees.joined import Joined


def scores(forest: Forest, x: Features) -> Floats:
    """Raw scores (n,) of x (n, n_features), summed in float64.

    The cost is a few passes over (n, n_trees) per level, where `traverse.predict` pays per node: faster for few rows.
    """
    nodes = Joined.of(forest.trees)
    feature, threshold, default_left = (nodes.field(name) for name in ("feature", "threshold", "default_left"))
    by_category = nodes.field("is_categorical")
    children = np.stack([nodes.right, nodes.left], axis=1)
    at = np.tile(nodes.roots, (x.shape[0], 1))
    row, tree = np.nonzero(nodes.left[at] != LEAF)
    while row.size:
        node = at[row, tree]
        here = x[row, feature[node]]
        goes_left = here <= threshold[node] if forest.operator == "<=" else here < threshold[node]
        if forest.has_categories:
            goes_left = np.where(by_category[node], _among(nodes, node, here), goes_left)
        goes_left = np.where(np.isnan(here), default_left[node], goes_left)
        at[row, tree] = children[node, goes_left.astype(np.int64)]
        going_on = nodes.left[at[row, tree]] != LEAF
        row, tree = row[going_on], tree[going_on]
    total: Floats = nodes.field("value")[at].sum(axis=1)
    return total / (len(forest.trees) if forest.average else 1) + forest.base_score


def made_up_rows(forest: Forest, n: int) -> Features:
    """(n, n_features): each value one that some split of its feature compares with, or a category that one lists."""
    rng = np.random.default_rng(0)
    x = np.zeros((n, forest.n_features), dtype=np.float32)
    feature, threshold = thresholds_by_split(forest.trees)
    with np.errstate(over="ignore"):
        threshold = threshold.astype(np.float32)
    order = np.lexsort((threshold, feature))  # not that of the nodes, which the same forest can have in several
    used, starts = np.unique(feature[order], return_index=True)
    for own, values in zip(used.tolist(), np.split(threshold[order], starts[1:]), strict=False):
        x[:, own] = rng.choice(values, n)
    if by_feature := categories_of(forest.trees):
        categories = np.unique(np.concatenate([[0], *by_feature.values()]))
        x[:, list(by_feature)] = rng.choice(categories, (n, len(by_feature)))
    return x


def _among(nodes: Joined, node: NDArray[np.int64], here: Features) -> NDArray[np.bool_]:
    """Which values are of the categories that their split sends left; False at splits by threshold."""
    found = np.zeros(node.size, dtype=bool)
    category_set, trees = nodes.field("category_set"), nodes.trees
    for place in np.flatnonzero((category_set[node] != NUMERICAL) & (here >= 0)).tolist():
        tree = trees[nodes.tree[node[place]]]
        found[place] = np.isin(np.trunc(np.float64(here[place])), tree.sets[category_set[node[place]]])
    return found
