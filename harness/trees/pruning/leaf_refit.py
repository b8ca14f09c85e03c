"""New leaf values for trees whose splits stay as they are: Newton steps on leaf indicators, tree by tree.

A sweep takes the derivatives of the loss once, and then descends along one tree after the other on their quadratic
model: rows of a leaf share one value, so a tree's step is one division per leaf. For a squared loss that is backfitting
(Breiman and Friedman, JASA 1985), which converges to the ridge regression on all leaf indicators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats, RankingData
from harness.trees.forest import Forest
from harness.trees.traverse import leaf_indices

Derivatives = Callable[[Floats], tuple[Floats, Floats]]
"""Scores (n_rows,) to gradient and diagonal of the Hessian of a loss, each (n_rows,)."""

_MAX_ROWS = 200_000
_MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class LeafMatrix:
    """Which leaf each row of `data` reaches: (n_trees, n_rows) node indices in the smallest type that holds them."""

    leaves: NDArray[Any]
    data: RankingData

    def scores(self, values: list[Floats]) -> Floats:
        """(n_rows,) sums of leaf values, given by tree and node."""
        total = np.zeros(self.data.n_rows)
        for leaf, value in zip(self.leaves, values, strict=True):
            total += value[leaf]
        return total


def leaf_matrix(forest: Forest, split: RankingData) -> LeafMatrix:
    """The matrix of a split, thinned to evenly spaced query groups: at most 200,000 rows and 256 MiB, roughly."""
    dtype = np.min_scalar_type(max(tree.n_nodes for tree in forest.trees) - 1)
    data = split.thinned(max(1, min(_MAX_ROWS, _MAX_BYTES // (dtype.itemsize * len(forest.trees)))))
    return LeafMatrix(leaf_indices(forest, data.features, dtype), data)


def sweeps(forest: Forest, train: LeafMatrix, loss: Derivatives, l2: float, learning_rate: float) -> Iterator[Forest]:
    """The forest after each sweep over its trees, without end.

    `l2` draws each leaf to its old value, as so many rows of mean curvature would; `learning_rate` scales each step.
    """
    share = 1.0 / len(forest.trees) if forest.average else 1.0
    old = [tree.value * share for tree in forest.trees]
    values = [value.copy() for value in old]
    while True:
        scores = train.scores(values)
        gradient, curvature = loss(scores)
        unit = float(curvature.mean())
        if unit > 0:
            gradient, curvature = gradient / unit, curvature / unit
            for leaf, value, before in zip(train.leaves, values, old, strict=True):
                slope = np.bincount(leaf, gradient, value.size) + l2 * (value - before)
                bend = np.bincount(leaf, curvature, value.size) + l2
                step = np.divide(-learning_rate * slope, bend, out=np.zeros_like(value), where=bend > 0)
                value += step
                gradient += curvature * step[leaf]
        yield forest.with_trees(
            tuple(replace(tree, value=value / share) for tree, value in zip(forest.trees, values, strict=True))
        )
