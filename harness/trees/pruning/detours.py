"""Where rows end in a tree while the features that its splits read go one after another.

Only rows that leave a removed split towards the child with less cover change their leaf: they walk on through the other
child. All others stay where they are, so a removal costs what those few rows cost.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features
from harness.trees.forest import LEAF, Ints, Operator, Tree
from harness.trees.pruning.cover import summed_up
from harness.trees.traverse import descend


class Detours:
    """A tree with the way around each of its splits: `Tree.bypassed` step by step, its nodes numbered depth first."""

    def __init__(self, tree: Tree, operator: Operator) -> None:
        self.tree, self._operator = tree.depth_first(), operator
        left, right = self.tree.left, self.tree.right
        heavier_left = self.tree.cover[left] >= self.tree.cover[right]
        self._major = np.where(heavier_left, left, right)
        self._minor = np.where(heavier_left, right, left)
        self._end = np.arange(tree.n_nodes) + 2 * summed_up(self.tree, np.ones(tree.n_nodes)).astype(np.int32) - 1

    def without(self, gone: NDArray[np.bool_]) -> tuple[Tree, Ints]:
        """The tree relinked around splits on features `gone` (n_features,), and which node stands for each.

        Nodes keep their numbers, those that nothing leads to any more too; the root is what stands for node 0.
        """
        tree = self.tree
        heir = np.arange(tree.n_nodes, dtype=np.int32)
        passed = ~tree.is_leaf & gone[tree.feature]
        heir[passed] = self._major[passed]
        while not np.array_equal(heir, further := heir[heir]):
            heir = further
        left, right = (np.where(tree.is_leaf, LEAF, heir[child]) for child in (tree.left, tree.right))
        return replace(tree, left=left, right=right), heir

    def moved(self, leaf: Ints, feature: int, relinked: Tree, heir: Ints, x: Features) -> Ints:
        """The leaves (n_rows,) of rows x once `feature` goes too, `leaf` being where they ended before.

        relinked, heir: what `without` says when it and all that went before are gone.
        """
        pending, taken = list[tuple[int, NDArray[np.intp]]](), list[tuple[int, int]]()
        for node in np.flatnonzero(self.tree.feature == feature).tolist():
            if any(first <= node < end for first, end in taken):
                continue
            first, end = int(self._minor[node]), int(self._end[self._minor[node]])
            taken.append((first, end))
            pending.append((int(heir[node]), np.flatnonzero((leaf >= first) & (leaf < end))))
        reached = leaf.copy()
        descend(relinked, x, self._operator, pending, reached)
        return reached
