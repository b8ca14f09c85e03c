"""The order in which an ensemble's subtrees are collapsed into leaves, cheapest first.

Minimal cost-complexity pruning (Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984,
chapter 3) with one queue over all trees: again and again the subtree with the least cost per leaf removed becomes a
leaf. The leaf takes the cover-weighted mean of the subtree's leaves; the cost is the cover-weighted mean squared change
of that tree's output. It needs no grades: what is kept is the function. Trees are weighed one by one, so changes of
different trees that would cancel or add up are not seen.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.trees.forest import LEAF, Forest, Tree
from harness.trees.pruning.cover import summed_up


@dataclass(frozen=True)
class Collapses:
    """A nested sequence of ever smaller forests: `forest` after its first m collapses, 0 <= m <= len(self).

    tree, node: (n_collapses,) which node becomes a leaf; n_nodes: (n_collapses + 1,) size after m collapses.
    """

    forest: Forest
    means: tuple[Floats, ...]
    tree: NDArray[np.int64]
    node: NDArray[np.int64]
    n_nodes: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.tree.size)

    def fewest_to(self, max_nodes: int) -> int:
        """The fewest collapses after which at most `max_nodes` nodes are left (all of them where none suffice)."""
        fits = self.n_nodes <= max_nodes
        return int(np.argmax(fits)) if fits.any() else len(self)

    def leaf_values(self, m: int) -> list[Floats]:
        """Per tree of `forest`, what each of its original leaves gives after m collapses, by node index."""
        return [
            _inherited(tree, cut, mean)
            for tree, cut, mean in zip(self.forest.trees, self._cuts(m), self.means, strict=True)
        ]

    def after(self, m: int) -> Forest:
        """The forest after m collapses; trees without a split are folded into the leaves of another one."""
        trees = [
            tree.collapsed(cut, mean) if cut.any() else tree
            for tree, cut, mean in zip(self.forest.trees, self._cuts(m), self.means, strict=True)
        ]
        return folded(self.forest, trees)

    def _cuts(self, m: int) -> list[NDArray[np.bool_]]:
        cuts = [np.zeros(tree.n_nodes, dtype=bool) for tree in self.forest.trees]
        for tree, node in zip(self.tree[:m].tolist(), self.node[:m].tolist(), strict=True):
            cuts[tree][node] = True
        return cuts


def collapses(forest: Forest) -> Collapses:
    """All collapses of a forest whose trees know their cover, cheapest first, until no split is left."""
    of_tree = [moments(tree) for tree in forest.trees]
    order = list(_weakest_links(forest, [excess for _, excess in of_tree]))
    tree, node, removed = (
        (np.array(column, dtype=np.int64) for column in zip(*order, strict=True))
        if order
        else (np.empty(0, dtype=np.int64),) * 3
    )
    split = [t.n_nodes for t in forest.trees if t.n_nodes > 1]
    if forest.average:
        n_nodes = forest.n_nodes - np.concatenate([[0], np.cumsum(removed)])
    else:
        removed = removed + (node == 0)  # a tree without a split is folded away
        n_nodes = np.maximum(1, sum(split) - np.concatenate([[0], np.cumsum(removed)]))
    return Collapses(forest, tuple(mean for mean, _ in of_tree), tree, node, n_nodes.astype(np.int64))


def moments(tree: Tree) -> tuple[Floats, Floats]:
    """Per node: cover-weighted mean of the leaves below, and their sum of squared differences from it per row."""
    cover = summed_up(tree, tree.cover)
    mean, squares = tree.value.copy(), np.zeros(tree.n_nodes)
    for level in reversed(tree.levels()):
        inner = level[~tree.is_leaf[level]]
        left, right = tree.left[inner], tree.right[inner]
        both = cover[inner]
        share = np.divide(cover[left], both, out=np.full(inner.size, 0.5), where=both > 0)
        gap = mean[left] - mean[right]
        mean[inner] = mean[right] + share * gap
        squares[inner] = squares[left] + squares[right] + gap**2 * share * (1 - share) * both
    return mean, squares / max(cover[0], 1.0)


def _weakest_links(forest: Forest, squares: list[Floats]) -> Iterator[tuple[int, int, int]]:
    """(tree, node, nodes removed) of each collapse, in order."""
    links = [_Links(tree, own) for tree, own in zip(forest.trees, squares, strict=True)]
    heap = [(links[t].price(node), t, node) for t in range(len(links)) for node in links[t].inner]
    heapq.heapify(heap)
    while heap:
        price, t, node = heapq.heappop(heap)
        link = links[t]
        if link.n_leaves[node] == 1 or price != link.price(node):
            continue  # gone, or pushed again since at another price
        yield t, node, 2 * (link.n_leaves[node] - 1)
        for ancestor in link.collapse(node):
            heapq.heappush(heap, (link.price(ancestor), t, ancestor))


class _Links:
    """One tree while it shrinks, in lists: scalar access is what this loop does."""

    def __init__(self, tree: Tree, squares: Floats) -> None:
        self.left, self.right = tree.left.tolist(), tree.right.tolist()
        self.squares: list[float] = squares.tolist()
        self.below = [0.0] * tree.n_nodes  # squares of the leaves that are left under each node
        self.n_leaves: list[int] = summed_up(tree, np.ones(tree.n_nodes)).astype(int).tolist()
        self.inner: list[int] = np.flatnonzero(~tree.is_leaf).tolist()
        self.parent = [LEAF] * tree.n_nodes
        for node in self.inner:
            self.parent[self.left[node]] = self.parent[self.right[node]] = node

    def price(self, node: int) -> float:
        """Cost per leaf removed, were `node` to become a leaf."""
        return (self.squares[node] - self.below[node]) / (self.n_leaves[node] - 1)

    def collapse(self, node: int) -> list[int]:
        """Make `node` a leaf; its ancestors, whose price has changed."""
        cost, removed = self.squares[node] - self.below[node], self.n_leaves[node] - 1
        pending = [node]
        while pending:
            gone = pending.pop()
            if self.n_leaves[gone] > 1:
                pending += (self.left[gone], self.right[gone])
            self.n_leaves[gone] = 1
        ancestors = []
        up = self.parent[node]
        while up != LEAF:
            self.below[up] += cost
            self.n_leaves[up] -= removed
            ancestors.append(up)
            up = self.parent[up]
        return ancestors


def _inherited(tree: Tree, cut: NDArray[np.bool_], mean: Floats) -> Floats:
    """The value that each leaf gives once the nodes of `cut` are leaves."""
    if not cut.any():
        return tree.value
    source = np.arange(tree.n_nodes)
    for level in tree.levels():
        inner = level[~tree.is_leaf[level]]
        ended = inner[cut[source[inner]]]
        source[tree.left[ended]] = source[tree.right[ended]] = source[ended]
    return np.where(cut[source], mean[source], tree.value)


def folded(forest: Forest, trees: list[Tree]) -> Forest:
    """`forest` with other trees, where those without a split are added to the leaves of one that has some.

    The mean of an averaging forest counts its trees, so there they all stay.
    """
    if forest.average:
        return forest.with_trees(tuple(trees))
    constant = sum(float(tree.value[0]) for tree in trees if tree.n_nodes == 1)
    first, *others = [tree for tree in trees if tree.n_nodes > 1] or [replace(trees[0], value=np.zeros(1))]
    first = replace(first, value=np.where(first.is_leaf, first.value + constant, 0.0))
    return forest.with_trees((first, *others))
