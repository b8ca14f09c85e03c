"""Leaf values as whole numbers of one scale, so that a sum of any number of trees is exact in 32 bits.

Each tree is taken around the middle of its values, and the scale is as fine as lets the largest possible sum fit. A
score is then off by at most half a scale per tree, and by far less as a rule, for these roundings go either way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats

_PLANE_LEAVES = 64
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class LeafValues:
    """values: int32, tree after tree from `begin` on; permuted (n_trees,): which trees lie in byte planes of 64 leaves.

    A sum of leaf values over trees is that of their `middles` (n_trees,) + `scale` times the sum of whole numbers.
    """

    values: NDArray[np.int32]
    begin: NDArray[np.int64]
    permuted: NDArray[np.bool_]
    middles: Floats
    scale: float


def leaf_values_of(values: list[Floats], *, permuted_leaves: int) -> LeafValues:
    """From each tree's leaf values, left to right; up to `permuted_leaves` of them go into byte planes."""
    middles = [float(tree.max() / 2 + tree.min() / 2) for tree in values]
    reach = sum(float(tree.max() / 2 - tree.min() / 2) for tree in values)
    scale = reach / (_LARGEST - len(values)) or 1.0
    permuted = np.array([tree.size <= permuted_leaves for tree in values], dtype=bool)
    tables = []
    for tree, middle, in_planes in zip(values, middles, permuted, strict=True):
        numbers = np.rint((tree - middle) / scale).astype(np.int32)
        tables.append(_planes(numbers) if in_planes else numbers)
    sizes = np.array([table.size for table in tables], dtype=np.int64)
    joined = np.concatenate(tables) if tables else np.empty(0, dtype=np.int32)
    return LeafValues(joined, np.cumsum(sizes) - sizes, permuted, np.array(middles), scale)


def _planes(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """The lowest byte of 64 numbers, then the next, and so on; viewed as int32 again."""
    filled = np.zeros(_PLANE_LEAVES, dtype="<i4")
    filled[: numbers.size] = numbers
    planes = np.ascontiguousarray(filled.view(np.uint8).reshape(_PLANE_LEAVES, 4).T)
    return planes.reshape(-1).view(np.int32)
