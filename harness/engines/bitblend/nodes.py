"""All trees of a forest on end, and what blending has to know of a node: the leaves below it, and its height."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.engines.bitblend.categories import CategorySet
from harness.ranking_data import Floats
from harness.trees.forest import LEAF, NUMERICAL, Ints, Tree
from harness.trees.joined import Joined, Places


@dataclass(frozen=True)
class Nodes:
    """Arrays (n_nodes,) over all trees; left and right are places in these arrays, LEAF at leaves.

    n_leaves: leaves below a node, 1 at a leaf; leaf: number of the leftmost of them, counted from left to right in its
    tree; height: splits on the longest way down; roots (n_trees,); category_set: which of its tree's `sets`.
    """

    tree: Places
    left: Places
    right: Places
    feature: Ints
    threshold: Floats
    default_left: NDArray[np.bool_]
    value: Floats
    n_leaves: Places
    leaf: Places
    height: Places
    roots: Places
    category_set: Ints
    trees: Sequence[Tree]

    @property
    def splits(self) -> Places:
        """Places of the inner nodes, ascending."""
        return np.flatnonzero(self.left != LEAF)

    @property
    def by_threshold(self) -> Places:
        """Places of the splits by threshold, ascending."""
        return np.flatnonzero((self.left != LEAF) & (self.category_set == NUMERICAL))

    @property
    def by_category(self) -> Places:
        """Places of the splits by category, ascending."""
        return np.flatnonzero(self.category_set != NUMERICAL)

    def category_sets(self) -> Iterator[CategorySet]:
        """What each split by category asks, in the order of `by_category`."""
        for place in self.by_category.tolist():
            categories = self.trees[self.tree[place]].sets[self.category_set[place]]
            yield CategorySet(int(self.feature[place]), bool(self.default_left[place]), categories)


def nodes_of(trees: Sequence[Tree]) -> Nodes:
    """Put the trees on end and count, level by level over all of them at once."""
    joined = Joined.of(trees)
    left, right = joined.left, joined.right
    n_leaves = np.ones(left.size, dtype=np.int64)
    leaf, height = np.zeros_like(n_leaves), np.zeros_like(n_leaves)
    levels = [level[left[level] != LEAF] for level in joined.levels()]
    for level in reversed(levels):
        n_leaves[level] = n_leaves[left[level]] + n_leaves[right[level]]
        height[level] = 1 + np.maximum(height[left[level]], height[right[level]])
    for level in levels:
        leaf[left[level]] = leaf[level]
        leaf[right[level]] = leaf[level] + n_leaves[left[level]]
    return Nodes(
        tree=joined.tree,
        left=left,
        right=right,
        feature=joined.field("feature"),
        threshold=joined.field("threshold"),
        default_left=joined.field("default_left"),
        value=joined.field("value"),
        n_leaves=n_leaves,
        leaf=leaf,
        height=height,
        roots=joined.roots,
        category_set=joined.field("category_set"),
        trees=trees,
    )
