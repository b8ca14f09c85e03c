"""New weights for the trees that are kept: a ridge start, then a line search on NDCG.

The line search is the greedy one of Lucchese, Nardini, Orlando, Perego, Silvestri and Trani, "Post-learning
optimization of tree ensembles for efficient ranking" (SIGIR 2016). The ridge start is ours: a linear system of the size
of the ensemble, which finds in milliseconds most of what the search would find in minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.trees.pruning.tree_scores import TreeScores

LABEL_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
_STEPS = np.linspace(-1.0, 1.0, 16)
_SHRINK = 0.5
_MAX_ROUNDS = 20
_PATIENCE = 3


def ridge_weights(train: TreeScores, trees: NDArray[np.intp], target: Floats, ridge: float) -> Floats:
    """Weights (n_kept,) whose sum of tree scores is nearest to the moments `target` (n_trees,) of `train`.

    The penalty, `ridge` times the mean square of a tree's scores, draws each weight to the best common one.
    """
    gram, moments = train.gram[np.ix_(trees, trees)], target[trees]
    scale = float(np.trace(gram)) / trees.size
    whole = float(gram.sum())
    if not (scale > 0 and whole > 0):
        return np.ones(trees.size)  # trees that tell no candidates apart
    common = float(moments.sum()) / whole
    penalty = ridge * scale
    weights = np.linalg.solve(gram + penalty * np.eye(trees.size), moments + penalty * common)
    return weights.astype(np.float64, copy=False)


def best_ridge(train: TreeScores, valid: TreeScores, trees: NDArray[np.intp]) -> Floats:
    """The weights with the best NDCG on `valid` among old ones and ridge fits on `train`.

    The fits differ in their penalty, and in what they fit: the teacher's scores, gains, or mixtures of the two.
    """
    teacher, labels = train.teacher_moments, train.label_moments
    best = np.ones(trees.size)
    best_ndcg = valid.mean_ndcg.of(valid.weighted(best, trees))
    for share in LABEL_SHARES:
        for ridge in _RIDGES:
            weights = ridge_weights(train, trees, (1 - share) * teacher + share * labels, ridge)
            reached = valid.mean_ndcg.of(valid.weighted(weights, trees))
            if reached > best_ndcg:
                best, best_ndcg = weights, reached
    return best


def line_search(scores: TreeScores, trees: NDArray[np.intp], weights: Floats) -> Iterator[Floats]:
    """Ever better weights for NDCG on `scores`, one set per round.

    A round tries 16 steps for each tree on its own, then 16 points on the way to where all the best steps together
    lead. A round without gain halves the steps, which begin as wide as the mean weight.
    """
    window = float(np.abs(weights).mean())
    current = scores.weighted(weights, trees)
    reached = scores.mean_ndcg.of(current)
    for _ in range(_MAX_ROUNDS):
        step = np.zeros(trees.size)
        for place, tree in enumerate(trees.tolist()):
            tried = scores.mean_ndcg.along(current, scores.matrix[tree], window * _STEPS)
            if tried.max() > reached:
                step[place] = window * _STEPS[int(np.argmax(tried))]
        direction = scores.weighted(step, trees)
        shares = np.linspace(0.0, 1.0, _STEPS.size)
        tried = scores.mean_ndcg.along(current, direction, shares)
        if tried.max() > reached:
            reached = float(tried.max())
            share = shares[int(np.argmax(tried))]
            weights, current = weights + share * step, current + share * direction
            yield weights
        else:
            window *= _SHRINK


def searched(train: TreeScores, valid: TreeScores, trees: NDArray[np.intp], weights: Floats) -> Floats:
    """The weights with the best NDCG on `valid` on the way of a line search on `train`, the first ones included.

    The search ends after three rounds that bring `valid` nothing.
    """
    best, best_ndcg = weights, valid.mean_ndcg.of(valid.weighted(weights, trees))
    without = 0
    for candidate in line_search(train, trees, weights):
        reached = valid.mean_ndcg.of(valid.weighted(candidate, trees))
        if reached > best_ndcg:
            best, best_ndcg, without = candidate, reached, 0
        elif (without := without + 1) == _PATIENCE:
            break
    return best
