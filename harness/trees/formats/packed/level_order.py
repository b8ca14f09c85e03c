"""A forest taken apart in level order of all its trees, as it is written; and put together again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.trees.forest import LEAF, NUMERICAL, Forest, Ints, Operator, Tree
from harness.trees.formats.packed.splits import Splits
from harness.trees.formats.packed.tables import Columns, Sets, float32_sides
from harness.trees.joined import Joined, Places

_NONE = np.empty(0, dtype=np.int64)
NO_COLUMNS = Columns(_NONE, _NONE.astype(bool), _NONE, _NONE, _NONE.astype(np.float32), ())
NO_SPLITS = Splits(_NONE, _NONE, _NONE)


def shape_of(nodes: Joined) -> tuple[list[NDArray[np.bool_]], Places, Places]:
    """Levels of whether nodes are splits, and the places of splits and of leaves among the joined nodes, in order."""
    levels = nodes.levels()
    order = np.concatenate(levels)
    is_split = nodes.left[order] != LEAF
    return [nodes.left[level] != LEAF for level in levels], order[is_split], order[~is_split]


def columns_of(nodes: Joined, splits: Places, operator: Operator) -> tuple[Columns, Splits]:
    """The columns of all splits, given by their places, and what each split is in terms of them."""
    if not splits.size:
        return NO_COLUMNS, NO_SPLITS
    feature, by_set = nodes.field("feature")[splits], nodes.field("is_categorical")[splits]
    default_left = nodes.field("default_left")[splits].astype(np.int64)
    sides = float32_sides(nodes.field("threshold")[splits], operator)
    keys, column, uses = np.unique(2 * feature.astype(np.int64) + by_set, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(column, kind="stable"), np.cumsum(uses)[:-1])
    rank = np.empty(splits.size, dtype=np.int64)
    thresholds, sets, n_bounds = [np.empty(0, dtype=np.float32)], [], []
    for key, own in zip(keys.tolist(), members, strict=True):
        if key % 2:
            listed, rank[own] = _distinct([_set_at(nodes, place) for place in splits[own].tolist()])
            sets += listed
            n_bounds.append(len(listed))
        else:
            distinct, rank[own] = np.unique(sides[own], return_inverse=True)
            thresholds.append(distinct)
            n_bounds.append(distinct.size)
    lefts = np.bincount(column, default_left, minlength=keys.size)
    missing = np.select([lefts == 0, lefts == uses], [0, 1], 2)
    table = Columns(
        keys // 2, keys % 2 == 1, missing, np.array(n_bounds, dtype=np.int64), np.concatenate(thresholds), tuple(sets)
    )
    return table, Splits(column, rank, default_left)


def put_together(
    bare: Forest, levels: list[NDArray[np.bool_]], columns: Columns, splits: Splits, tree: Places, value: Floats
) -> Forest:
    """The forest of these parts. tree: (n_nodes,) of each node, value: (n_leaves,), all in level order."""
    is_split = np.concatenate(levels)
    starts = np.cumsum([level.size for level in levels])  # where the next level begins
    child = np.concatenate(
        [start + 2 * np.cumsum(level) - 2 for start, level in zip(starts.tolist(), levels, strict=True)]
    )
    order = np.argsort(tree, kind="stable")
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    sizes = np.bincount(tree)
    begins = np.cumsum(sizes) - sizes
    place -= begins[tree]  # of each node within its tree
    place, child = np.append(place, [LEAF, LEAF]), np.where(is_split, child, order.size)
    by_set = columns.categorical[splits.column]
    bound = splits.rank + _first_bounds(columns)[splits.column]
    threshold = np.zeros(splits.column.size)
    threshold[~by_set] = columns.thresholds[bound[~by_set]]
    node_arrays: dict[str, Any] = {
        "left": place[child].astype(np.int32),
        "right": place[child + 1].astype(np.int32),
        "feature": _filled(is_split, columns.feature[splits.column], LEAF).astype(np.int32),
        "threshold": _filled(is_split, threshold, 0.0),
        "default_left": _filled(is_split, splits.default_left, 0).astype(bool),
        "value": _filled(~is_split, value.astype(bare.threshold_type).astype(np.float64), 0.0),
        "cover": np.zeros(order.size),
        "category_set": _filled(is_split, np.where(by_set, bound, NUMERICAL), NUMERICAL).astype(np.int32),
    }
    cut = {name: np.split(array[order], begins[1:]) for name, array in node_arrays.items()}
    trees = [_tree({name: arrays[index] for name, arrays in cut.items()}) for index in range(sizes.size)]
    if columns.sets:
        trees = [_with_sets(own, sets, columns.sets) for own, sets in zip(trees, cut["category_set"], strict=True)]
    return replace(bare, trees=tuple(trees))


def _tree(arrays: dict[str, Any]) -> Tree:
    return Tree(**arrays)


def _with_sets(tree: Tree, category_set: Ints, sets: Sets) -> Tree:
    """The tree with those of all sets that it uses."""
    used, numbers = np.unique(category_set[category_set != NUMERICAL], return_inverse=True)
    own = category_set.copy()
    own[category_set != NUMERICAL] = numbers
    return replace(tree, category_set=own, sets=tuple(sets[one] for one in used.tolist()))


def _first_bounds(columns: Columns) -> Places:
    """Where each column's bounds begin, among the thresholds or among the sets."""
    first = np.empty(columns.feature.size, dtype=np.int64)
    for own in (columns.categorical, ~columns.categorical):
        counts = columns.n_bounds[own]
        first[own] = np.cumsum(counts) - counts
    return first


def _filled(where: NDArray[np.bool_], values: NDArray[Any], other: float) -> NDArray[Any]:
    filled = np.full(where.size, other, dtype=values.dtype)
    filled[where] = values
    return filled


def _set_at(nodes: Joined, place: int) -> tuple[int, ...]:
    tree = int(nodes.tree[place])
    categories = nodes.trees[tree].categories(place - int(nodes.roots[tree]))
    return tuple(categories.tolist())


def _distinct(listed: list[tuple[int, ...]]) -> tuple[list[Ints], Places]:
    distinct = sorted(set(listed))
    rank = {one: place for place, one in enumerate(distinct)}
    return [np.array(one, dtype=np.int32) for one in distinct], np.array([rank[one] for one in listed])
