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
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.trees.forest import LEAF, Forest, Tree
from harness.trees.pruning.collapse import folded
from harness.trees.pruning.level_state import LevelState, sums

_PENALISED_SWEEPS = 3
_FREE_SWEEPS = 1

Rows = NDArray[np.int32] | slice


@dataclass(frozen=True)
class Goal:
    """Scores to come near to: scores, weight (n_rows,), mean weight 1; offsets (n_groups + 1,) of query groups."""

    scores: Floats
    weight: Floats
    offsets: NDArray[np.int64]

    @cached_property
    def group(self) -> NDArray[np.int32]:
        """(n_rows,) the query group of each row."""
        return np.repeat(np.arange(self.offsets.size - 1, dtype=np.int32), np.diff(self.offsets))

    @cached_property
    def total(self) -> Floats:
        """(n_groups,) weight of each query group, 1 where it has none."""
        total = sums(self.group, self.weight, self.offsets.size - 1)
        return np.where(total > 0, total, 1.0)

    def means(self, difference: Floats, rows: Rows = slice(None)) -> Floats:
        """(n_groups,) weighted means of differences that are zero but for `rows`."""
        return sums(self.group[rows], self.weight[rows] * difference, self.total.size) / self.total

    def centred(self, difference: Floats) -> Floats:
        """Differences (n_rows,) less their weighted mean in each query group."""
        return difference - self.means(difference)[self.group]


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
        self._factor = 1.0 / len(forest.trees) if forest.average else 1.0
        self._places = []
        self._start = np.zeros(goal.scores.size)
        for tree, leaf in zip(forest.trees, leaves, strict=True):
            rank = (np.cumsum(tree.is_leaf) - 1).astype(np.min_scalar_type(tree.n_leaves))
            self._places.append(rank[leaf])
            self._start += self._factor * tree.value[leaf]
        self._unit = float(goal.weight @ goal.centred(self._start) ** 2)

    def at(self, strength: float) -> Pruned:
        """Prune with an L1 penalty of `strength`, as a share of the sum of squares of the forest's own scores.

        0 leaves the forest alone, infinity leaves one node.
        """
        trees = self.forest.trees
        if strength == 0:
            return Pruned(self.forest, [np.zeros(t.n_nodes, dtype=bool) for t in trees], [t.value for t in trees])
        states = [
            LevelState(tree, sums(place, self._goal.weight, tree.n_leaves), self._factor)
            for tree, place in zip(trees, self._places, strict=True)
        ]
        error = _Error(self._goal, self._start - self._goal.scores)
        while active := [index for index, state in enumerate(states) if state.begin_level()]:
            under = {index: _rows_of(states[index].fresh, self._places[index]) for index in active}
            for sweep in range(_PENALISED_SWEEPS + _FREE_SWEEPS):
                free = sweep >= _PENALISED_SWEEPS
                for index in active:
                    state, (rows, place) = states[index], under[index]
                    pull = sums(place, error.weighted(rows), int(state.fresh.sum()))
                    change = state.step(pull, 0.0 if free else strength * self._unit, may_revive=not free)
                    error.add(change[place], rows)
            for index in active:
                states[index].end_level()
        return Pruned(self.forest, [state.cut for state in states], [state.by_node() for state in states])


class _Error:
    """What the forest scores too much, by row, and its mean by query group, which does not count."""

    def __init__(self, goal: Goal, difference: Floats) -> None:
        self._goal, self._difference, self._means = goal, difference, goal.means(difference)

    def weighted(self, rows: Rows) -> Floats:
        """Of some rows, centred in their query groups, times their weights."""
        goal = self._goal
        return goal.weight[rows] * (self._difference[rows] - self._means[goal.group[rows]])

    def add(self, change: Floats, rows: Rows) -> None:
        """Scores of some rows have changed."""
        if change.any():
            self._difference[rows] += change
            self._means += self._goal.means(change, rows)


def _rows_of(fresh: NDArray[np.bool_], place: NDArray[Any]) -> tuple[Rows, NDArray[Any]]:
    """The rows in fresh leaves, and which of those leaves each is in."""
    if fresh.all():
        return slice(None), place
    rows = np.flatnonzero(fresh[place]).astype(np.int32)
    return rows, (np.cumsum(fresh) - 1).astype(place.dtype)[place[rows]]


def _lifted(tree: Tree, values: Floats) -> Floats:
    """Values of leaves handed up, so that a node whose leaves all give the same gives it too."""
    lifted = values.copy()
    for level in reversed(tree.levels()):
        inner = level[tree.left[level] != LEAF]
        lifted[inner] = lifted[tree.left[inner]]
    return lifted
