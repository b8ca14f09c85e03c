"""A tree ensemble as plain arrays: what every tree method reads, changes and writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats

Ints = NDArray[np.int32]
Operator = Literal["<", "<="]
LEAF = -1
NUMERICAL = -1


@dataclass(frozen=True)
class Tree:
    """One binary tree; node 0 is the root. All arrays have shape (n_nodes,).

    A row goes left where `x[feature] operator threshold` holds, and where x[feature] is NaN and `default_left`. At a
    categorical split it goes left where x[feature], cut off to a whole number, is one of the split's categories; a
    negative number is none.
    left, right, feature: -1 at a leaf; threshold: 0 at a leaf and at a categorical split; value: 0 at an inner node;
    cover: training rows that reached the node, all 0 where the source did not say;
    category_set: which of `sets` holds a categorical split's categories, NUMERICAL elsewhere;
    sets: categories in ascending order, each at least 0; one may serve several splits, or none.
    """

    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats
    default_left: NDArray[np.bool_]
    value: Floats
    cover: Floats
    category_set: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    sets: tuple[Ints, ...] = ()

    def __post_init__(self) -> None:
        if not self.sets:
            object.__setattr__(self, "category_set", np.full(self.left.size, NUMERICAL, dtype=np.int32))

    @property
    def n_nodes(self) -> int:
        """Inner nodes and leaves."""
        return int(self.left.size)

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """(n_nodes,) True at leaves."""
        leaf: NDArray[np.bool_] = self.left == LEAF
        return leaf

    @property
    def is_categorical(self) -> NDArray[np.bool_]:
        """(n_nodes,) True at splits by category."""
        categorical: NDArray[np.bool_] = self.category_set != NUMERICAL
        return categorical

    @property
    def is_numerical(self) -> NDArray[np.bool_]:
        """(n_nodes,) True at splits by threshold."""
        numerical: NDArray[np.bool_] = ~self.is_leaf & ~self.is_categorical
        return numerical

    def categories(self, node: int) -> Ints:
        """The categories that a categorical split sends left."""
        return self.sets[int(self.category_set[node])]

    @property
    def n_leaves(self) -> int:
        """Leaves; a binary tree has one inner node fewer."""
        return (self.n_nodes + 1) // 2

    def levels(self, root: int = 0) -> list[NDArray[np.intp]]:
        """Indices of the nodes at and below `root` by depth, each level from left to right."""
        level = np.array([root], dtype=np.intp)
        found = [level]
        while True:
            inner = level[self.left[level] != LEAF]
            if not inner.size:
                return found
            level = np.stack([self.left[inner], self.right[inner]], axis=1).ravel().astype(np.intp)
            found.append(level)

    def collapsed(self, cut: NDArray[np.bool_], value: Floats) -> Tree:
        """The tree in which every node of `cut` (n_nodes,) has become a leaf of `value` (n_nodes,).

        Nodes are numbered anew, level by level; what lay below a cut is gone.
        """
        leaf = self.is_leaf | cut
        pruned = replace(
            self,
            left=np.where(leaf, LEAF, self.left),
            right=np.where(leaf, LEAF, self.right),
            feature=np.where(leaf, LEAF, self.feature),
            threshold=np.where(leaf, 0.0, self.threshold),
            default_left=self.default_left & ~leaf,
            value=np.where(cut, value, self.value),
            category_set=np.where(leaf, NUMERICAL, self.category_set),
        )
        return pruned._renumbered(np.concatenate(pruned.levels()))

    def bypassed(self, gone: NDArray[np.bool_]) -> Tree:
        """The tree without the splits of `gone` (n_nodes,): the child with more cover takes each one's place.

        Nodes are numbered anew, level by level; what lay below the other child is gone, and cover is left as it was.
        """
        heir = np.arange(self.n_nodes, dtype=np.int32)
        for level in reversed(self.levels()):
            node = level[gone[level] & ~self.is_leaf[level]]
            left, right = self.left[node], self.right[node]
            heir[node] = heir[np.where(self.cover[left] >= self.cover[right], left, right)]
        relinked = replace(
            self,
            left=np.where(self.is_leaf, LEAF, heir[self.left]),
            right=np.where(self.is_leaf, LEAF, heir[self.right]),
        )
        return relinked._renumbered(np.concatenate(relinked.levels(int(heir[0]))))

    def depth_first(self) -> Tree:
        """The same tree numbered so that what is below a node follows it at once, left before right."""
        levels = self.levels()
        size = np.ones(self.n_nodes, dtype=np.int64)
        for level in reversed(levels):
            inner = level[~self.is_leaf[level]]
            size[inner] += size[self.left[inner]] + size[self.right[inner]]
        number = np.zeros(self.n_nodes, dtype=np.int64)
        for level in levels:
            inner = level[~self.is_leaf[level]]
            number[self.left[inner]] = number[inner] + 1
            number[self.right[inner]] = number[inner] + 1 + size[self.left[inner]]
        return self._renumbered(np.argsort(number))

    def _renumbered(self, kept: NDArray[np.intp]) -> Tree:
        """The tree of the nodes `kept`, in that order, the root first."""
        new = np.full(self.n_nodes + 1, LEAF, dtype=np.int32)  # the last entry maps LEAF to itself
        new[kept] = np.arange(kept.size, dtype=np.int32)
        return Tree(
            new[self.left[kept]],
            new[self.right[kept]],
            self.feature[kept],
            self.threshold[kept],
            self.default_left[kept],
            self.value[kept],
            self.cover[kept],
            self.category_set[kept],
            self.sets,
        )


@dataclass(frozen=True)
class Forest:
    """A scalar additive ensemble: score = base_score + sum of leaf values (their mean where `average`).

    threshold_type is the type of thresholds, of leaves, and of the sum; the post-processor is carried along but is no
    part of the score (it is monotone, so ranking does not need it).
    """

    trees: tuple[Tree, ...]
    n_features: int
    operator: Operator = "<="
    threshold_type: Literal["float32", "float64"] = "float64"
    base_score: float = 0.0
    average: bool = False
    postprocessor: str = "identity"
    sigmoid_alpha: float = 1.0
    task: str = "kLearningToRank"

    @property
    def n_nodes(self) -> int:
        """Inner nodes and leaves of all trees."""
        return sum(tree.n_nodes for tree in self.trees)

    @property
    def n_leaves(self) -> int:
        """Leaves of all trees."""
        return sum(tree.n_leaves for tree in self.trees)

    @property
    def has_categories(self) -> bool:
        """Whether some split goes by category."""
        return any(tree.is_categorical.any() for tree in self.trees)

    @property
    def has_cover(self) -> bool:
        """Whether every tree with a split knows how many training rows reached its nodes."""
        return all(tree.n_nodes == 1 or tree.cover[0] > 0 for tree in self.trees)

    def first(self, n_trees: int) -> Forest:
        """The ensemble cut off after its first `n_trees` trees."""
        return replace(self, trees=self.trees[:n_trees])

    def with_trees(self, trees: tuple[Tree, ...]) -> Forest:
        """The same kind of ensemble with other trees."""
        return replace(self, trees=trees)


def thresholds_by_split(trees: Iterable[Tree]) -> tuple[Ints, Floats]:
    """Feature and threshold of every split by threshold, each (n_splits,)."""
    trees = list(trees)
    feature = np.concatenate([tree.feature[tree.is_numerical] for tree in trees])
    threshold = np.concatenate([tree.threshold[tree.is_numerical] for tree in trees])
    return feature, threshold


def features_read(forest: Forest) -> NDArray[np.int64]:
    """Indices of the features that any split reads, ascending."""
    return np.unique(np.concatenate([tree.feature[~tree.is_leaf] for tree in forest.trees])).astype(np.int64)


def categories_of(trees: Iterable[Tree]) -> dict[int, Ints]:
    """By feature that some split takes as categorical: all categories that its splits list, ascending."""
    found: dict[int, list[Ints]] = {}
    for tree in trees:
        for node in np.flatnonzero(tree.is_categorical).tolist():
            found.setdefault(int(tree.feature[node]), []).append(tree.categories(node))
    return {feature: np.unique(np.concatenate(sets)) for feature, sets in sorted(found.items())}
