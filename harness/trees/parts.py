"""A large tree as a sum of small ones: each part knows the way to its own leaves, and is 0 for every other row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.trees.forest import LEAF, Ints, Tree

ELSEWHERE = -1


@dataclass(frozen=True)
class Part:
    """tree: what to add up; origin (n_nodes,): the node of the whole tree that a leaf is, or ELSEWHERE."""

    tree: Tree
    origin: Ints


def parts_of(tree: Tree, most_leaves: int) -> list[Part]:
    """Parts of at most so many leaves; every row reaches one leaf that is not ELSEWHERE, in one of them.

    A part is a subtree, less the parts below it, plus the path from the root, one leaf per step. ModelError where that
    path alone is too long.
    """
    if tree.n_leaves <= most_leaves:
        return [Part(tree, np.arange(tree.n_nodes, dtype=np.int32))]
    parent = np.full(tree.n_nodes, LEAF, dtype=np.int64)
    inner = np.flatnonzero(~tree.is_leaf)
    parent[tree.left[inner]] = parent[tree.right[inner]] = inner
    tops = _tops(tree, most_leaves)
    return [_part(tree, top, tops, parent) for top in np.flatnonzero(tops).tolist()]


def _tops(tree: Tree, most_leaves: int) -> NDArray[np.bool_]:
    """(n_nodes,) True at the root and where a part of its own has to begin: found from the leaves up."""
    levels = tree.levels()
    if len(levels) > most_leaves:
        raise ModelError(
            f"node {int(levels[-1][0])} lies {len(levels) - 1} splits deep, {most_leaves - 1} is the most",
            remedy="limit the depth in training, or use engine: gtil",
        )
    tops = np.zeros(tree.n_nodes, dtype=bool)
    tops[0] = True
    weight = np.ones(tree.n_nodes, dtype=np.int64)
    for depth in reversed(range(len(levels))):
        for node in levels[depth][~tree.is_leaf[levels[depth]]].tolist():
            children = sorted((int(tree.left[node]), int(tree.right[node])), key=lambda child: weight[child])
            while weight[children].sum() + depth > most_leaves:
                heavier = children[-1] if weight[children[-1]] > 1 else children[0]
                tops[heavier], weight[heavier] = True, 1
            weight[node] = weight[children].sum()
    return tops


def _part(tree: Tree, top: int, tops: NDArray[np.bool_], parent: NDArray[np.int64]) -> Part:
    cut = tops.copy()
    cut[top] = False
    node = top
    while node != 0:
        up = int(parent[node])
        cut[tree.left[up]] = cut[tree.right[up]] = True
        cut[node] = False
        node = up
    cut[0] = False
    elsewhere = np.full(tree.n_nodes, ELSEWHERE, dtype=np.float64)
    numbered = replace(tree, value=np.arange(tree.n_nodes, dtype=np.float64)).collapsed(cut, elsewhere)
    return Part(tree.collapsed(cut, np.zeros(tree.n_nodes)), numbered.value.astype(np.int32))
