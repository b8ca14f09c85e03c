"""How many rows reach each node, for forests whose source did not keep count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ranking_data import Features, Floats
from harness.trees.forest import Forest, Tree
from harness.trees.traverse import leaf_index


def with_cover(forest: Forest, x: Features) -> Forest:
    """The forest with every node's cover counted over the rows of x (n, n_features)."""
    columns = np.asfortranarray(x)
    return forest.with_trees(tuple(_counted(tree, columns, forest) for tree in forest.trees))


def _counted(tree: Tree, x: Features, forest: Forest) -> Tree:
    reached = np.bincount(leaf_index(tree, x, forest.operator), minlength=tree.n_nodes)
    return replace(tree, cover=summed_up(tree, reached.astype(np.float64)))


def summed_up(tree: Tree, leaves: Floats) -> Floats:
    """Values of leaves (n_nodes,) added up along the tree, so that every node holds the sum below it."""
    total = np.where(tree.is_leaf, leaves, 0.0)
    for level in reversed(tree.levels()):
        inner = level[~tree.is_leaf[level]]
        total[inner] = total[tree.left[inner]] + total[tree.right[inner]]
    return total
