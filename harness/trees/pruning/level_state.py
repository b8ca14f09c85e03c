"""One tree on its way down the levels: which subtrees begin where it stands, and how they are scaled and shifted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.trees.forest import Tree

_PRIOR_ROWS = 5.0
_NO_ROWS = 1e-9  # weight that every leaf has at least, so that its mean is defined


def sums(place: NDArray[Any], values: Floats, n: int) -> Floats:
    """(n,) values added up by place."""
    return np.bincount(place, values, n).astype(np.float64, copy=False)


class LevelState:
    """Leaves are counted from left to right by node number; a level's subtrees are its slots.

    `fresh` (n_leaves,): leaves below (or at) a node of this level that nothing above has been cut for; the arrays of a
    step have one entry for each of them. `value` (n_leaves,) is what leaves give now, `cut` (n_nodes,) the new leaves.
    """

    def __init__(self, tree: Tree, rows: Floats, factor: float) -> None:
        """`rows` (n_leaves,): weight of the rows in each leaf; `factor`: what a tree's values count in the score."""
        self._tree, self._factor, self._rows = tree, factor, rows + _NO_ROWS
        self._nodes = np.flatnonzero(tree.is_leaf)
        self._top = np.full(self._nodes.size, -1, dtype=np.int64)
        self._ways = iter(_ways(tree, self._nodes))
        self.value = factor * tree.value[self._nodes]
        self.cut = np.zeros(tree.n_nodes, dtype=bool)

    def begin_level(self) -> bool:
        """Go down a level; whether anything is left there."""
        way = next(self._ways, self._top)
        self.fresh = (way != self._top) & ((self._top < 0) | ~self.cut[self._top])
        self._top = np.where(self.fresh, way, self._top)
        if not self.fresh.any():
            return False
        self._tops, self._slot, n_leaves = np.unique(way[self.fresh], return_inverse=True, return_counts=True)
        inner, rows, value = ~self._tree.is_leaf[self._tops], self._rows[self.fresh], self.value[self.fresh]
        self._weight = self._sum(rows)
        self._mean = self._sum(rows * value) / self._weight
        self._shape = value - self._mean[self._slot]
        self._squares = self._sum(rows * self._shape**2)
        self._scale = np.ones(self._tops.size)
        self._price = np.where(inner, np.sqrt(2.0 * (n_leaves - 1)), 1.0)
        return True

    def step(self, pull: Floats, penalty: float, *, may_revive: bool) -> Floats:
        """Fit each slot's scale and shift; the change of each fresh leaf. `pull`: weighted error summed by fresh leaf.

        Scale and shift of a slot have closed forms apart, because `_shape` has a mean of zero in it.
        """
        self._mean = self._mean - self._sum(pull) / (self._weight + _PRIOR_ROWS)
        stiff = self._squares * (1.0 + _PRIOR_ROWS / self._weight)
        wanted = self._scale * stiff - self._sum(pull * self._shape)
        shrunk = np.sign(wanted) * np.maximum(np.abs(wanted) - penalty * self._price, 0.0)
        scale = np.divide(shrunk, stiff, out=np.zeros_like(stiff) if penalty else self._scale.copy(), where=stiff > 0)
        self._scale = scale if may_revive else np.where(self._scale == 0, 0.0, scale)
        new = self._scale[self._slot] * self._shape + self._mean[self._slot]
        change: Floats = new - self.value[self.fresh]
        self.value[self.fresh] = new
        return change

    def end_level(self) -> None:
        """Subtrees whose scale is zero are leaves from now on."""
        self.cut[self._tops[(self._scale == 0) & ~self._tree.is_leaf[self._tops]]] = True

    def by_node(self) -> Floats:
        """(n_nodes,) the leaves' values by node, as the forest counts them."""
        values = np.zeros(self._tree.n_nodes)
        values[self._nodes] = self.value / self._factor
        return values

    def _sum(self, by_leaf: Floats) -> Floats:
        return sums(self._slot, by_leaf, self._tops.size)


def _ways(tree: Tree, leaves: NDArray[np.intp]) -> list[NDArray[np.int64]]:
    """Per depth, from the root, the node of that depth (or the leaf above it) on the way to each leaf."""
    parent = np.arange(tree.n_nodes)
    inner = np.flatnonzero(~tree.is_leaf)
    parent[tree.left[inner]] = parent[tree.right[inner]] = inner
    way = leaves.astype(np.int64)
    ways = [way]
    for level in reversed(tree.levels()[1:]):
        up = np.arange(tree.n_nodes)
        up[level] = parent[level]
        way = up[way]
        ways.append(way)
    return ways[::-1]
