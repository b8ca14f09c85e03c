"""Trees on end, as single arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.trees.forest import LEAF, Tree

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Joined:
    """`trees`, and for their nodes (n_nodes,) on end: tree, left and right, which are places in these arrays.

    roots: (n_trees,).
    """

    trees: Sequence[Tree]
    tree: Places
    left: Places
    right: Places
    roots: Places

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> Joined:
        """Put trees on end."""
        sizes = np.array([tree.n_nodes for tree in trees], dtype=np.int64)
        roots = np.cumsum(sizes) - sizes
        shift = np.repeat(roots, sizes)
        left, right = (_joined(trees, name).astype(np.int64) for name in ("left", "right"))
        inner = left != LEAF
        tree = np.repeat(np.arange(sizes.size), sizes)
        return cls(trees, tree, np.where(inner, left + shift, LEAF), np.where(inner, right + shift, LEAF), roots)

    def field(self, name: str) -> NDArray[Any]:
        """An array of `Tree`, or one of its properties, over all trees."""
        return _joined(self.trees, name)

    def levels(self) -> list[Places]:
        """Places of the nodes by depth: the roots, then their children from left to right, and so on."""
        level, found = self.roots, []
        while level.size:
            found.append(level)
            splits = level[self.left[level] != LEAF]
            level = np.stack([self.left[splits], self.right[splits]], axis=1).ravel()
        return found


def _joined(trees: Sequence[Tree], name: str) -> NDArray[Any]:
    return np.concatenate([getattr(tree, name) for tree in trees])
