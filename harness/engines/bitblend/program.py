"""A forest as the arrays that model.h declares: what to rank, which splits to blend in which order, what leaves add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.engines.bitblend.categories import LARGEST_CATEGORY
from harness.engines.bitblend.columns import Columns, columns_of
from harness.engines.bitblend.leaf_values import LeafValues, leaf_values_of
from harness.engines.bitblend.nodes import Nodes, nodes_of
from harness.errors import EngineError, ModelError
from harness.trees.forest import LEAF, Forest, Ints
from harness.trees.joined import Places
from harness.trees.parts import Part, parts_of

BOTTOM = np.dtype([("rank_row", "u2", 3), ("bound", "i1", 3), ("leaf", "u1")])
TOP = np.dtype([("rank_row", "u2"), ("left", "u2"), ("right", "u2"), ("out", "u2"), ("bound", "i2")])
GROUP = np.dtype([("n_bottoms", "i4", 4), ("n_tops", "i4"), ("n_trees", "i4")])
TREE = np.dtype([("root", "i4"), ("leaves", "i4"), ("permuted", "i4")])

REMEDY = "use engine: gtil, or native where the bundle has its library's own file"
_MOST_LEAVES = 256
_MOST_ROWS = 1 << 16
_MOST_CODES = 1 << 28
_GROUP_BOTTOMS = 64
_NO_CATEGORY, _LIGHTGBM_NO_CATEGORY = np.nextafter(0.0, -1.0), -1.0  # LightGBM cuts off to whole numbers before it asks


@dataclass(frozen=True)
class Program:
    """The arrays, and the way back from them.

    tree, leaf_nodes: for each of the kernel's trees, which of the forest's it is or is a part of, and the nodes of its
    leaves from left to right. wide: whether it tells float64 values apart; else they count as the float32 next to them.
    """

    columns: Columns
    bottoms: NDArray[np.void]
    tops: NDArray[np.void]
    groups: NDArray[np.void]
    trees: NDArray[np.void]
    leaves: LeafValues
    n_leaf_rows: int
    n_rows: int
    no_category: float
    wide: bool
    base: float
    scale: float
    tree: tuple[int, ...]
    leaf_nodes: tuple[Ints, ...]

    @property
    def table_bytes(self) -> int:
        """Bytes that scoring reads, in all."""
        categories = self.columns.categories
        ranked = (
            self.columns.columns,
            self.columns.tables,
            self.columns.exact,
            categories.columns,
            categories.codes,
            categories.sets,
        )
        blended = (self.bottoms, self.tops, self.groups, self.trees, self.leaves.values)
        return sum(array.nbytes for array in (*ranked, *blended))

    @property
    def max_rounding(self) -> float:
        """The most by which whole-numbered leaves can move a score."""
        return self.scale * len(self.tree) / 2


def program_of(
    forest: Forest, *, permuted_leaves: int, lightgbm_zero: bool, where: str, sentinels: Sequence[int] = ()
) -> Program:
    """Lay a forest out for the kernel, which permutes the values of up to `permuted_leaves` leaves.

    Groups end where numbers of trees that `sentinels` tells do. EngineError names the tree, and the node, that can't go
    in.
    """
    parts = _parts(forest, where)
    ends = np.searchsorted([tree for tree, _ in parts], sentinels)
    nodes = nodes_of([part.tree for _, part in parts])
    columns = columns_of(nodes, forest.operator, lightgbm_zero=lightgbm_zero)
    leaf_places = np.flatnonzero(nodes.left == LEAF)
    leaf_places = leaf_places[np.lexsort((nodes.leaf[leaf_places], nodes.tree[leaf_places]))]
    cuts = np.cumsum(nodes.n_leaves[nodes.roots])[:-1]
    leaves = leaf_values_of(np.split(nodes.value[leaf_places], cuts), permuted_leaves=permuted_leaves)
    origin = np.concatenate([part.origin for _, part in parts])[leaf_places]
    n_averaged = len(forest.trees) if forest.average else 1
    bottoms, tops, groups, roots = _blends(nodes, columns, ends)
    n_leaf_rows = int(nodes.n_leaves[nodes.roots].max())
    n_rows = n_leaf_rows + int(groups["n_bottoms"].sum(axis=1).max())
    if max(columns.n_rank_rows, n_rows) > _MOST_ROWS:
        raise EngineError(
            f"needs {columns.n_rank_rows} rows of ranks, {_MOST_ROWS} is the most", where=where, remedy=REMEDY
        )
    if columns.categories.codes.size > _MOST_CODES:
        raise EngineError(
            f"needs {columns.categories.codes.size} bytes for categories, {_MOST_CODES} is the most",
            where=where,
            remedy=REMEDY,
        )
    trees = np.zeros(len(parts), dtype=TREE)
    trees["root"], trees["leaves"], trees["permuted"] = roots, leaves.begin, leaves.permuted
    return Program(
        columns=columns,
        bottoms=bottoms,
        tops=tops,
        groups=groups,
        trees=trees,
        leaves=leaves,
        n_leaf_rows=n_leaf_rows,
        n_rows=n_rows,
        no_category=_LIGHTGBM_NO_CATEGORY if lightgbm_zero else _NO_CATEGORY,
        wide=forest.threshold_type == "float64",
        base=forest.base_score + float(leaves.middles.sum()) / n_averaged,
        scale=leaves.scale / n_averaged,
        tree=tuple(tree for tree, _ in parts),
        leaf_nodes=tuple(np.split(origin, cuts)),
    )


def _parts(forest: Forest, where: str) -> list[tuple[int, Part]]:
    found = []
    for index, tree in enumerate(forest.trees):
        nothing = tree.is_numerical & (tree.threshold == -np.inf)
        if forest.operator == "<" and nothing.any():
            raise EngineError(
                f"tree {index}, node {int(np.argmax(nothing))} compares x < -inf, which no value meets",
                where=where,
                remedy=REMEDY,
            )
        for node in np.flatnonzero(tree.is_categorical).tolist():
            if (largest := int(tree.categories(node).max(initial=0))) > LARGEST_CATEGORY:
                raise EngineError(
                    f"tree {index}, node {node} lists category {largest}, {LARGEST_CATEGORY} is the largest",
                    where=where,
                    remedy=REMEDY,
                )
        try:
            found += [(index, part) for part in parts_of(tree, _MOST_LEAVES)]
        except ModelError as error:
            raise EngineError(f"tree {index}: {error.what}", where=where, remedy=error.remedy) from error
    return found


def _blends(
    nodes: Nodes, columns: Columns, ends: Places
) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.void], Places]:
    """Bottoms, tops and groups, and the row (n_trees,) that ends up with each tree's leaf numbers."""
    splits = nodes.splits
    small = np.zeros(nodes.tree.size, dtype=bool)
    small[splits] = (nodes.n_leaves[nodes.left[splits]] <= 2) & (nodes.n_leaves[nodes.right[splits]] <= 2)
    within = np.zeros_like(small)  # pairs that are part of a bottom
    within[nodes.left[small]] = within[nodes.right[small]] = True
    bottom = np.flatnonzero(small & ~within)
    top = splits[~small[splits]]
    group_of_tree = _groups(np.bincount(nodes.tree[bottom], minlength=nodes.roots.size), ends)
    n_groups = int(group_of_tree[-1]) + 1
    group = group_of_tree[nodes.tree]

    left_pair, right_pair = (nodes.n_leaves[side[bottom]] == 2 for side in (nodes.left, nodes.right))
    kind = 2 * left_pair + right_pair
    order = np.lexsort((bottom, kind, group[bottom]))
    bottom, kind = bottom[order], kind[order]
    row = np.where(nodes.left == LEAF, nodes.leaf, LEAF)
    first = np.searchsorted(group[bottom], group[bottom])
    n_leaf_rows = int(nodes.n_leaves[nodes.roots].max())
    row[bottom] = n_leaf_rows + np.arange(bottom.size) - first
    bottoms = np.zeros(bottom.size, dtype=BOTTOM)
    for place, node in enumerate((bottom, nodes.left[bottom], nodes.right[bottom])):
        bottoms["rank_row"][:, place], bottoms["bound"][:, place] = columns.rank_row[node], columns.bound[node]
    bottoms["leaf"] = nodes.leaf[bottom]

    top = top[np.lexsort((top, nodes.height[top], group[top]))]
    left, right = nodes.left[top], nodes.right[top]
    for height in range(1, int(nodes.height.max()) + 1):  # in place of a child, which nobody reads again
        level = nodes.height[top] == height
        row[top[level]] = np.where(nodes.n_leaves[left[level]] > 1, row[left[level]], row[right[level]])
    tops = np.zeros(top.size, dtype=TOP)
    tops["rank_row"], tops["bound"] = columns.rank_row[top], columns.bound[top]
    tops["left"], tops["right"], tops["out"] = row[left], row[right], row[top]

    groups = np.zeros(n_groups, dtype=GROUP)
    np.add.at(groups["n_bottoms"], (group[bottom], kind), 1)
    groups["n_tops"] = np.bincount(group[top], minlength=n_groups)
    groups["n_trees"] = np.bincount(group_of_tree, minlength=n_groups)
    return bottoms, tops, groups, row[nodes.roots]


def _groups(n_bottoms: Places, ends: Places) -> Places:
    """Group of each tree: neighbours, up to _GROUP_BOTTOMS rows together, one tree at least, none over an end."""
    group, rows, found, last = 0, 0, [], set(ends.tolist())
    for tree, own in enumerate(n_bottoms.tolist()):
        if tree and (tree in last or (rows and rows + own > _GROUP_BOTTOMS)):
            group, rows = group + 1, 0
        rows += own
        found.append(group)
    return np.array(found, dtype=np.int64)
