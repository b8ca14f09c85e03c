"""Forests of every shape, built tree by tree from drawn choices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.trees.forest import LEAF, NUMERICAL, Forest, Tree

CATEGORICAL = 2
"""The feature that a forest with categories splits by them."""
SETS = tuple(np.array(own, dtype=np.int32) for own in ([0], [1, 2, 7], [0, 3, 31, 32, 63, 64, 700], [5, 70_000], []))
THRESHOLDS = np.array([-3.5, -1.0, -0.1, 1e-30, 0.1, 0.5, 1.0, 1 / 3, 2.0, 7.25, 1e30, np.inf])


def random_tree(rng: np.random.Generator, n_splits: int, n_features: int, categories: str) -> Tree:
    """A tree grown by splitting a leaf drawn at random, `n_splits` times."""
    n_nodes = 2 * n_splits + 1
    left, right, feature = (np.full(n_nodes, LEAF, dtype=np.int32) for _ in range(3))
    threshold, default_left = np.zeros(n_nodes), np.zeros(n_nodes, dtype=bool)
    leaves = [0]
    for split in range(n_splits):
        node = leaves.pop(int(rng.integers(len(leaves))))
        left[node], right[node] = 2 * split + 1, 2 * split + 2
        feature[node] = rng.integers(n_features)
        threshold[node] = rng.choice(THRESHOLDS)
        default_left[node] = rng.random() < 0.5
        leaves += [2 * split + 1, 2 * split + 2]
    value = np.where(left == LEAF, rng.normal(size=n_nodes), 0.0)
    cover = np.where(left == LEAF, rng.integers(1, 50, n_nodes), 0).astype(np.float64)
    for node in reversed(range(n_nodes)):
        if left[node] != LEAF:
            cover[node] = cover[left[node]] + cover[right[node]]
    if not categories:
        return Tree(left, right, feature, threshold, default_left, value, cover)
    by_set = feature == CATEGORICAL
    if categories == "missing-right":
        default_left &= ~by_set
    category_set = np.where(by_set, rng.integers(len(SETS), size=n_nodes), NUMERICAL).astype(np.int32)
    threshold[by_set] = 0.0
    return Tree(left, right, feature, threshold, default_left, value, cover, category_set, SETS)


@pytest.fixture(scope="session")
def forest_of() -> Callable[..., Forest]:
    """`forest_of(seed, splits_per_tree, n_features=4, categories="", **fields)`.

    categories: "any" for splits by category too, "missing-right" for such as LightGBM can have.
    """

    def build(seed: int, splits: list[int], n_features: int = 4, categories: str = "", **fields: object) -> Forest:
        rng = np.random.default_rng(seed)
        trees = tuple(random_tree(rng, n, n_features, categories) for n in splits)
        return Forest(trees, n_features, **fields)  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def awkward_rows() -> Callable[..., np.ndarray]:
    """`awkward_rows(seed, n, n_features=4)`: float32 rows of NaN, infinities, zeros of both signs, and thresholds.

    Their third feature has categories, also such as no set lists, broken ones, and negative ones of -1 or less.
    """
    special = np.concatenate([[np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38], THRESHOLDS]).astype(np.float32)
    near = np.concatenate([np.nextafter(special, np.float32(np.inf)), np.nextafter(special, np.float32(-np.inf))])
    pool = np.concatenate([special, near[np.isnan(near) | (np.abs(near) > 1e-34)]])

    def build(seed: int, n: int, n_features: int = 4) -> np.ndarray:
        rng = np.random.default_rng(seed)
        rows = rng.choice(pool, size=(n, n_features)).astype(np.float32)
        column = rows[:, CATEGORICAL]
        other = rng.choice(np.concatenate([*SETS, [4.0, 0.5, 7.9, -1.0, -7.0, 3e9, 65.0]]), n)
        rows[:, CATEGORICAL] = np.where((rng.random(n) < 0.7) | ((column > -1) & (column < 0)), other, column)
        return rows

    return build
