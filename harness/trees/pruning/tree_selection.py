"""Which trees of an ensemble to keep: the strategies of CLEaVER, and one that anticipates the re-weighting.

Lucchese, Nardini, Orlando, Perego, Silvestri and Trani, "Post-learning optimization of tree ensembles for efficient
ranking", SIGIR 2016. There the strategies look at the rows the trees were trained on; here at rows of another split,
because on their own training rows late trees look far better than they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.trees.pruning.tree_scores import TreeScores
from harness.trees.pruning.tree_weights import line_search

Strategy = Literal[
    "random", "last", "skip", "low_weights", "score_loss", "quality_loss", "quality_loss_greedy", "ridge_loss"
]
Order = NDArray[np.intp]
_REMOVE = np.array([-1.0])
_GREEDY_SHARE = 20
_SEARCH_ROUNDS = 5
_LABEL_SHARE = 0.2
_RIDGE = 1e-4


@dataclass(frozen=True)
class Selection:
    """Answers which trees stay, for any number of them. order: (n_trees,) most useful tree first, None: spaced."""

    n_trees: int
    order: Order | None

    def keep(self, n: int) -> Order:
        """The n trees that stay, ascending."""
        if self.order is None:
            return (np.arange(n) * self.n_trees // n).astype(np.intp)
        return np.sort(self.order[:n])


def select(strategy: Strategy, scores: TreeScores, seed: int = 0) -> Selection:
    """Rank the trees by a strategy on the rows of `scores`.

    random: drawn; last: the last trees go; skip: evenly spaced trees stay; low_weights: those go that get the lowest
    weights in a line search over all; score_loss: those that move scores least within query groups (mean absolute);
    quality_loss: those without which, each on its own, NDCG is best; quality_loss_greedy: the same, judged anew after
    each removal (of a twentieth of what is left, where that is more than one tree); ridge_loss: one by one the tree
    that the others, re-weighted by least squares, replace best as to a target of four parts teacher's scores and one
    part gains.
    """
    if strategy == "skip":
        return Selection(scores.n_trees, None)
    if strategy == "random":
        return Selection(scores.n_trees, np.random.default_rng(seed).permutation(scores.n_trees))
    return Selection(scores.n_trees, _ORDERS[strategy](scores))


def _last(scores: TreeScores) -> Order:
    return np.arange(scores.n_trees)


def _low_weights(scores: TreeScores) -> Order:
    weights = np.ones(scores.n_trees)
    for round_, found in enumerate(line_search(scores, np.arange(scores.n_trees), weights)):
        weights = found
        if round_ + 1 == _SEARCH_ROUNDS:
            break
    return _highest_first(weights)


def _score_loss(scores: TreeScores) -> Order:
    moved = sum((np.abs(block).sum(axis=1) for block, _ in scores.centred_blocks()), np.zeros(scores.n_trees))
    return _highest_first(moved)


def _quality_loss(scores: TreeScores) -> Order:
    return np.argsort(_ndcg_without(scores, scores.total, range(scores.n_trees)), kind="stable")


def _quality_loss_greedy(scores: TreeScores) -> Order:
    left, removed, total = list(range(scores.n_trees)), list[int](), scores.total.copy()
    while len(left) > 1:
        without = _ndcg_without(scores, total, left)
        n_now = max(1, len(left) // _GREEDY_SHARE)
        for place in np.argsort(-without, kind="stable")[:n_now].tolist():
            removed.append(left[place])
            total -= scores.matrix[left[place]]
        gone = set(removed[-n_now:])
        left = [tree for tree in left if tree not in gone]
    return np.array([*left, *reversed(removed)], dtype=np.intp)


def _ridge_loss(scores: TreeScores) -> Order:
    """Backward elimination; what a removal costs is Hassibi and Stork's, "Optimal Brain Surgeon" (NIPS 1993)."""
    n = scores.n_trees
    penalty = _RIDGE * max(float(np.trace(scores.gram)) / n, np.finfo(float).tiny)
    inverse = np.linalg.inv(scores.gram + penalty * np.eye(n))
    weights = inverse @ ((1 - _LABEL_SHARE) * scores.teacher_moments + _LABEL_SHARE * scores.label_moments)
    alive, removed = np.ones(n, dtype=bool), []
    for _ in range(n - 1):
        diagonal = np.where(alive, np.maximum(np.diag(inverse), np.finfo(float).tiny), 1.0)
        tree = int(np.argmin(np.where(alive, weights**2 / diagonal, np.inf)))
        alive[tree] = False
        removed.append(tree)
        column = inverse[:, tree] / inverse[tree, tree]
        weights = np.where(alive, weights - column * weights[tree], 0.0)
        inverse = inverse - np.outer(column, inverse[tree])
    return np.array([int(np.argmax(alive)), *reversed(removed)], dtype=np.intp)


def _ndcg_without(scores: TreeScores, total: Floats, trees: list[int] | range) -> Floats:
    along = scores.mean_ndcg.along
    return np.array([along(total, scores.matrix[tree], _REMOVE)[0] for tree in trees])


def _highest_first(values: Floats) -> Order:
    return np.argsort(-values, kind="stable")


_ORDERS: dict[str, Callable[[TreeScores], Order]] = {
    "last": _last,
    "low_weights": _low_weights,
    "score_loss": _score_loss,
    "quality_loss": _quality_loss,
    "quality_loss_greedy": _quality_loss_greedy,
    "ridge_loss": _ridge_loss,
}
