"""All trees of a forest on end, and what blending has to know of a node: the leaves below it, and its height."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engines.bitblend.categories import CategorySet
from harness.ranking_data import Floats
from harness.trees.forest import LEAF, NUMERICAL, Ints, Tree

Places = NDArray[np.int64]


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
    sizes = np.array([tree.n_nodes for tree in trees], dtype=np.int64)
    roots = np.cumsum(sizes) - sizes
    shift = np.repeat(roots, sizes)
    left, right = _joined(trees, "left").astype(np.int64), _joined(trees, "right").astype(np.int64)
    inner = left != LEAF
    left, right = np.where(inner, left + shift, LEAF), np.where(inner, right + shift, LEAF)
    n_leaves = np.ones(shift.size, dtype=np.int64)
    leaf, height = np.zeros_like(n_leaves), np.zeros_like(n_leaves)
    levels = _levels(roots, left, right)
    for level in reversed(levels):
        n_leaves[level] = n_leaves[left[level]] + n_leaves[right[level]]
        height[level] = 1 + np.maximum(height[left[level]], height[right[level]])
    for level in levels:
        leaf[left[level]] = leaf[level]
        leaf[right[level]] = leaf[level] + n_leaves[left[level]]
    return Nodes(
        tree=np.repeat(np.arange(sizes.size), sizes),
        left=left,
        right=right,
        feature=_joined(trees, "feature"),
        threshold=_joined(trees, "threshold"),
        default_left=_joined(trees, "default_left"),
        value=_joined(trees, "value"),
        n_leaves=n_leaves,
        leaf=leaf,
        height=height,
        roots=roots,
        category_set=_joined(trees, "category_set"),
        trees=trees,
    )


def _levels(roots: Places, left: Places, right: Places) -> list[Places]:
    """Splits by depth, without leaves."""
    levels = []
    level = roots[left[roots] != LEAF]
    while level.size:
        levels.append(level)
        children = np.concatenate([left[level], right[level]])
        level = children[left[children] != LEAF]
    return levels


def _joined(trees: Sequence[Tree], name: str) -> NDArray[Any]:
    return np.concatenate([getattr(tree, name) for tree in trees])
