"""Sweeps over the leaves of trees: where they end, and that averages are fitted as such."""

from __future__ import annotations

import numpy as np
import pytest

from harness.trees.artefacts import load
from harness.trees.pruning.leaf_refit import leaf_matrix, sweeps
from harness.trees.traverse import predict


def test_sweeps_end_at_the_ridge_regression_on_leaf_indicators(teacher, splits):
    forest, data, l2 = load(teacher("lightgbm")).first(3), splits.train, 100.0
    matrix = leaf_matrix(forest, data)
    target = np.random.default_rng(1).normal(size=data.n_rows)
    fitted = sweeps(forest, matrix, lambda s: (s - target, np.ones(s.size)), l2, 1.0)
    for _ in range(200):
        last = next(fitted)
    indicators = np.concatenate(
        [np.eye(tree.n_nodes)[leaf] for tree, leaf in zip(forest.trees, matrix.leaves, strict=True)], axis=1
    )
    old = np.concatenate([tree.value for tree in forest.trees])
    expected = old + np.linalg.solve(
        indicators.T @ indicators + l2 * np.eye(old.size), indicators.T @ (target - indicators @ old)
    )
    assert np.concatenate([tree.value for tree in last.trees]) == pytest.approx(expected, abs=1e-8)


def test_averaged_trees_are_refitted_as_a_mean(forest_of, splits):
    forest = forest_of(3, [7, 7, 7, 7], n_features=12, average=True)
    data = splits.train
    target = predict(forest_of(5, [5], n_features=12), data.features)

    def error(candidate):
        return np.mean((predict(candidate, data.features) - target) ** 2)

    fitted = sweeps(forest, leaf_matrix(forest, data), lambda s: (s - target, np.ones(s.size)), 1.0, 1.0)
    errors = [error(forest), *(error(next(fitted)) for _ in range(3))]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0]
