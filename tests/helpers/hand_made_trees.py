"""Trees and tree bundles made by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.bundle import Bundle, seal
from harness.trees import artefacts
from harness.trees.forest import LEAF, NUMERICAL, Forest, Tree


def stump(feature: int, threshold: float, left: float, right: float, default_left: bool = True) -> Tree:
    """One split by threshold, and the values of its leaves."""
    return Tree(
        left=np.array([1, LEAF, LEAF], dtype=np.int32),
        right=np.array([2, LEAF, LEAF], dtype=np.int32),
        feature=np.array([feature, LEAF, LEAF], dtype=np.int32),
        threshold=np.array([threshold, 0.0, 0.0]),
        default_left=np.array([default_left, False, False]),
        value=np.array([0.0, left, right]),
        cover=np.zeros(3),
    )


def category_stump(feature: int, categories: list[int], left: float, right: float, default_left: bool = False) -> Tree:
    """One split by category, and the values of its leaves."""
    tree = stump(feature, 0.0, left, right, default_left)
    own = np.array(sorted(categories), dtype=np.int32)
    return replace(tree, category_set=np.array([0, NUMERICAL, NUMERICAL], dtype=np.int32), sets=(own,))


def leaf(value: float) -> Tree:
    """A tree without a split."""
    one = np.full(1, LEAF, dtype=np.int32)
    return Tree(one, one, one, np.zeros(1), np.zeros(1, dtype=bool), np.array([value]), np.zeros(1))


def sealed(forest: Forest, out: Path, **meta: object) -> Bundle:
    """A forest as a bundle in the folder `out`."""
    out.mkdir(exist_ok=True)
    names = tuple(f"f{i}" for i in range(forest.n_features))
    return seal(out, artefacts.save(forest, out, names, meta=meta), origin={})
