"""Columns of ranks as the kernel searches them, and the rows of ranks that splits read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.engines.bitblend.categories import CategoryColumns, category_columns_of
from harness.engines.bitblend.nodes import Nodes
from harness.ranking_data import Features, Floats
from harness.trees.forest import Operator
from harness.trees.joined import Places
from harness.trees.ranks import floored, left_edges, ranks_of

COLUMN = np.dtype(
    [(name, "i4") for name in ("feature", "n_thresholds", "n_levels", "begin", "exact", "left_row", "right_row")]
)
"""`struct column` of model.h."""
_LINEAR = 32  # up to so many thresholds are compared one by one
_ROW = 8
_ALIGNED_FLOATS = 16
_BIAS = 128


@dataclass(frozen=True)
class Columns:
    """columns: COLUMN; edges: of each, in float32; tables: what they search, made of the edges;
    exact: the edges themselves, and an infinity after those of a column, for values that are float64;
    categories: the columns that splits by category read;
    rank_row, bound (n_nodes,): what each split reads, and the rank below which it sends left; 0 at leaves.
    """

    columns: NDArray[np.void]
    edges: list[Features]
    tables: Features
    exact: Floats
    categories: CategoryColumns
    n_rank_rows: int
    rank_row: Places
    bound: Places


def columns_of(nodes: Nodes, operator: Operator, *, lightgbm_zero: bool) -> Columns:
    """Rank the thresholds. A column has a row for either way that some split sends its missing values."""
    splits = nodes.by_threshold
    edge = left_edges(nodes.threshold[splits], operator, lightgbm_zero=lightgbm_zero)
    ranks = ranks_of(nodes.feature[splits], edge)
    rows, row_of_split = np.unique(2 * ranks.column + nodes.default_left[splits], return_inverse=True)
    columns = np.zeros(ranks.feature.size, dtype=COLUMN)
    for name, goes_left in (("right_row", 0), ("left_row", 1)):
        columns[name] = -1
        columns[name][rows[rows % 2 == goes_left] // 2] = np.flatnonzero(rows % 2 == goes_left)
    edges = [floored(ranks.edges_of(column)) for column in range(columns.size)]
    searches = [search_table(own) for own in edges]
    sizes = np.array([table.size for _, table in searches], dtype=np.int64)
    columns["exact"] = ranks.begin[:-1] + np.arange(columns.size)
    exact = np.insert(ranks.edges, ranks.begin[1:], np.inf)
    columns["feature"], columns["n_thresholds"] = ranks.feature, [own.size for own in edges]
    columns["n_levels"], columns["begin"] = [n_levels for n_levels, _ in searches], np.cumsum(sizes) - sizes
    tables = np.concatenate([np.empty(0, dtype=np.float32), *(table for _, table in searches)])
    rank_row, bound = np.zeros(nodes.tree.size, dtype=np.int64), np.zeros(nodes.tree.size, dtype=np.int64)
    rank_row[splits], bound[splits] = row_of_split, ranks.rank.astype(np.int64) + 1 - _BIAS
    categories = category_columns_of(nodes.category_sets(), first_row=rows.size)
    rank_row[nodes.by_category] = categories.row
    return Columns(columns, edges, tables, exact, categories, rows.size + categories.n_rows, rank_row, bound)


def search_table(edges: Features) -> tuple[int, Features]:
    """Levels of the heap and the table that `struct column` describes, for ascending edges (n,), n <= 255."""
    n_levels = 0 if edges.size <= _LINEAR else int(edges.size // _ROW).bit_length()
    if n_levels == 0:
        return 0, _padded(edges, -(-edges.size // _ALIGNED_FLOATS) * _ALIGNED_FLOATS)
    rows = _padded(edges, _ROW << n_levels)
    ends = rows[_ROW - 1 :: _ROW]
    heap = [np.full(1, np.inf, dtype=np.float32)]
    for level in range(n_levels):
        step = 1 << (n_levels - level)
        heap.append(ends[step // 2 - 1 :: step])
    return n_levels, np.concatenate([_padded(np.concatenate(heap), max(_ALIGNED_FLOATS, 1 << n_levels)), rows])


def _padded(values: Features, size: int) -> Features:
    """Infinities on end: nothing lies above them, so they are never counted."""
    return np.concatenate([values, np.full(size - values.size, np.inf, dtype=np.float32)])
