"""Level-wise optimisation and pruning of a forest towards given scores, from the roots down.

LOP (Devos, Martens, Can Oruc, Meert, Blockeel and Davis, Compressing tree ensembles through level-wise optimization and
pruning, ICML 2025), adapted to ranking. At each level every subtree f that begins there becomes c f + b, with an L1
penalty on c; where c is 0 the subtree becomes the leaf b, else c and b are folded into its leaves. Then the next level.

Adaptations. The loss is squared, against scores (the teacher's) rather than labels, after the weighted mean of each
query group has been taken off the difference, which no ranking depends on. One strength serves all levels; a subtree's
penalty grows with the square root of its size, as in the group lasso. What survives a level is fitted again there
without penalty, which has done its work once it has chosen. Each step stays near the present values, as if a few more
rows had said so, for the sake of leaves that few rows reach.

The design matrix is never built. Subtrees of one tree at one level share no row, so a tree's scales and shifts are
found together, in closed form, from one sum per leaf: block coordinate descent, one tree after another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.trees.collapse import folded
from harness.trees.forest import LEAF, Forest, Tree

_PENALISED_SWEEPS = 3
_FREE_SWEEPS = 1
_PRIOR_ROWS = 5.0
_NO_ROWS = 1e-9  # weight that every leaf has at least, so that its mean is defined


@dataclass(frozen=True)
class Goal:
    """Scores to come near to: scores, weight (n_rows,), mean weight 1; offsets (n_groups + 1,) of query groups."""

    scores: Floats
    weight: Floats
    offsets: NDArray[np.int64]

    def centred(self, difference: Floats) -> Floats:
        """Differences (n_rows,) less their weighted mean in each query group."""
        starts, sizes = self.offsets[:-1], np.diff(self.offsets)
        total = np.add.reduceat(self.weight, starts)
        mean = np.add.reduceat(self.weight * difference, starts) / np.where(total > 0, total, 1.0)
        return difference - np.repeat(mean, sizes)

    def loss(self, difference: Floats) -> float:
        """Weighted sum of the squares of centred differences."""
        return float(self.weight @ self.centred(difference) ** 2)


@dataclass(frozen=True)
class Pruned:
    """What is left of a forest: which nodes of each tree are leaves now, and what each old leaf gives, by node."""

    origin: Forest
    cut: list[NDArray[np.bool_]]
    values: list[Floats]

    @property
    def n_nodes(self) -> int:
        """Nodes of the smaller forest."""
        return self.forest().n_nodes

    def forest(self) -> Forest:
        """The smaller forest; trees left without a split are folded into another."""
        trees = []
        for tree, cut, values in zip(self.origin.trees, self.cut, self.values, strict=True):
            trees.append(replace(tree, value=values).collapsed(cut, _lifted(tree, values)))
        return folded(self.origin, trees)


class LevelPruning:
    """Prunes `forest` at any strength. leaves (n_trees, n_rows): the leaf of each of the goal's rows in each tree."""

    def __init__(self, forest: Forest, leaves: NDArray[np.int32], goal: Goal) -> None:
        self.forest, self._goal = forest, goal
        self._places = []
        for tree, leaf in zip(forest.trees, leaves, strict=True):
            rank = np.cumsum(tree.is_leaf) - 1
            self._places.append(rank[leaf].astype(np.uint16))
        self._scale = 1.0 / len(forest.trees) if forest.average else 1.0
        self._start = np.zeros(goal.scores.size)
        for tree, place in zip(forest.trees, self._places, strict=True):
            self._start += self._scale * tree.value[tree.is_leaf][place]
        self._unit = goal.loss(self._start)

    def at(self, strength: float) -> Pruned:
        """Prune with an L1 penalty of `strength`, as a share of the sum of squares of the forest's own scores.

        0 leaves the forest alone, infinity leaves one node.
        """
        if strength == 0:
            trees = self.forest.trees
            return Pruned(self.forest, [np.zeros(t.n_nodes, dtype=bool) for t in trees], [t.value for t in trees])
        goal = self._goal
        states = [
            _State(tree, _sums(place, goal.weight, tree.n_leaves), self._scale)
            for tree, place in zip(self.forest.trees, self._places, strict=True)
        ]
        penalty = strength * self._unit
        error = goal.centred(self._start - goal.scores)
        while active := [index for index, state in enumerate(states) if state.begin_level()]:
            for sweep in range(_PENALISED_SWEEPS + _FREE_SWEEPS):
                free = sweep >= _PENALISED_SWEEPS
                for index in active:
                    place = self._places[index]
                    pull = _sums(place, goal.weight * error, states[index].value.size)
                    change = states[index].step(pull, 0.0 if free else penalty, may_revive=not free)
                    if change.any():
                        error = goal.centred(error + change[place])
            for index in active:
                states[index].end_level()
        return Pruned(self.forest, [state.cut for state in states], [state.by_node() for state in states])


class _State:
    """One tree on its way down. Leaf arrays have one entry per leaf, slot arrays one per subtree of the level."""

    def __init__(self, tree: Tree, rows: Floats, scale: float) -> None:
        self._tree, self._factor = tree, scale
        self._nodes = np.flatnonzero(tree.is_leaf)
        self._rows = rows + _NO_ROWS
        self._top = np.zeros(self._nodes.size, dtype=np.int64)
        self._ways = iter(_ways(tree, self._nodes))
        self.value = scale * tree.value[self._nodes]
        self.cut = np.zeros(tree.n_nodes, dtype=bool)

    def begin_level(self) -> bool:
        """Go down a level; whether any subtree is left there."""
        way = next(self._ways, self._top)
        self._top = np.where(self.cut[self._top], self._top, way)
        tops, self._slot = np.unique(self._top, return_inverse=True)
        self._tops, self._live = tops, ~self._tree.is_leaf[tops] & ~self.cut[tops]
        if not self._live.any():
            return False
        self._weight = self._sum(self._rows)
        self._mean = self._sum(self._rows * self.value) / self._weight
        self._shape = self.value - self._mean[self._slot]
        self._squares = np.where(self._live, self._sum(self._rows * self._shape**2), 0.0)
        self._shape = np.where(self._live[self._slot], self._shape, 0.0)
        self._c = np.ones(tops.size)
        nodes_saved = 2.0 * (np.bincount(self._slot, minlength=tops.size) - 1)
        self._price = np.where(self._live, np.sqrt(nodes_saved), 1.0)
        return True

    def step(self, pull: Floats, penalty: float, *, may_revive: bool) -> Floats:
        """Fit scale and shift of each subtree; the change of each leaf. `pull` is the weighted error summed by leaf."""
        self._mean = self._mean - self._sum(pull) / (self._weight + _PRIOR_ROWS)
        stiff = self._squares * (1.0 + _PRIOR_ROWS / self._weight)
        wanted = self._c * stiff - self._sum(pull * self._shape)
        shrunk = np.sign(wanted) * np.maximum(np.abs(wanted) - penalty * self._price, 0.0)
        c = np.divide(shrunk, stiff, out=np.where(penalty > 0, 0.0, self._c), where=stiff > 0)
        self._c = c if may_revive else np.where(self._c == 0, 0.0, c)
        new = self._c[self._slot] * self._shape + self._mean[self._slot]
        change = new - self.value
        self.value = new
        return change

    def end_level(self) -> None:
        """Subtrees whose scale is zero are leaves from now on."""
        self.cut[self._tops[self._live & (self._c == 0)]] = True

    def by_node(self) -> Floats:
        """(n_nodes,) the leaves' values by node, as the forest counts them."""
        values = np.zeros(self._tree.n_nodes)
        values[self._nodes] = self.value / self._factor
        return values

    def _sum(self, by_leaf: Floats) -> Floats:
        return _sums(self._slot, by_leaf, self._tops.size)


def _sums(place: NDArray[Any], values: Floats, n: int) -> Floats:
    return np.bincount(place, values, n).astype(np.float64, copy=False)


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


def _lifted(tree: Tree, values: Floats) -> Floats:
    """Values of leaves handed up, so that a node whose leaves all give the same gives it too."""
    lifted = values.copy()
    for level in reversed(tree.levels()):
        inner = level[tree.left[level] != LEAF]
        lifted[inner] = lifted[tree.left[inner]]
    return lifted
