"""Forests of every shape, built tree by tree from drawn choices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.trees.forest import LEAF, Forest, Tree

THRESHOLDS = np.array([-3.5, -1.0, -0.1, 1e-30, 0.1, 0.5, 1.0, 1 / 3, 2.0, 7.25, 1e30, np.inf])


def random_tree(rng: np.random.Generator, n_splits: int, n_features: int) -> Tree:
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
    return Tree(left, right, feature, threshold, default_left, value, cover)


@pytest.fixture(scope="session")
def forest_of() -> Callable[..., Forest]:
    """`forest_of(seed, splits_per_tree, n_features=4, **fields)`."""

    def build(seed: int, splits: list[int], n_features: int = 4, **fields: object) -> Forest:
        rng = np.random.default_rng(seed)
        trees = tuple(random_tree(rng, n, n_features) for n in splits)
        return Forest(trees, n_features, **fields)  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def awkward_rows() -> Callable[..., np.ndarray]:
    """`awkward_rows(seed, n, n_features=4)`: float32 rows of NaN, infinities, zeros of both signs, and thresholds."""
    special = np.concatenate([[np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38], THRESHOLDS]).astype(np.float32)
    near = np.concatenate([np.nextafter(special, np.float32(np.inf)), np.nextafter(special, np.float32(-np.inf))])
    pool = np.concatenate([special, near[np.isnan(near) | (np.abs(near) > 1e-34)]])

    def build(seed: int, n: int, n_features: int = 4) -> np.ndarray:
        return np.random.default_rng(seed).choice(pool, size=(n, n_features)).astype(np.float32)

    return build
