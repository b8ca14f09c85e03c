"""A forest's thresholds as ranks: `x goes left` becomes `rank(x) <= rank of the threshold`, in a byte and exactly.

The edges of a feature are the largest numbers that some split sends left, in ascending order, and the rank of a value
is the number of edges below it. A histogram-trained ensemble has at most 255 edges per feature; a feature with more
gets several columns, each of which ranks among a run of 255 of its edges. Among float32 values, an edge does the same
as the largest float32 up to it (`floored`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.ranking_data import Features, Floats
from harness.trees.forest import Ints, Operator

MOST_EDGES = 255
LIGHTGBM_ZERO = np.float32(1e-35)
"""LightGBM, and it alone, reads every |x| up to this as 0."""


@dataclass(frozen=True)
class Ranks:
    """Columns of ranks, and where each split finds its own.

    feature: (n_columns,) ascending; begin: (n_columns + 1,) where the column's edges stand in `edges`;
    edges: ascending and distinct within a column;
    column, rank: (n_splits,) a split goes left where its column's rank of the value is <= `rank`, which is below 255.
    """

    feature: Ints
    begin: NDArray[np.int64]
    edges: Floats
    column: Ints
    rank: NDArray[np.uint8]

    def edges_of(self, column: int) -> Floats:
        """The edges of one column."""
        return self.edges[self.begin[column] : self.begin[column + 1]]


def ranks_of(feature: Ints, edge: Floats) -> Ranks:
    """The columns of splits on `feature` (n_splits,) that send x <= `edge` (n_splits,) to the left."""
    order = np.lexsort((edge, feature))
    sorted_feature, sorted_edge = feature[order], edge[order]
    new_feature = np.diff(sorted_feature, prepend=-1) != 0
    distinct = new_feature | np.concatenate([[False], sorted_edge[1:] != sorted_edge[:-1]])[: order.size]
    index = np.cumsum(distinct) - 1
    place = index - index[np.maximum.accumulate(np.where(new_feature, np.arange(order.size), 0))]
    new_column = new_feature | (distinct & (place % MOST_EDGES == 0))
    column, rank = np.empty(order.size, dtype=np.int32), np.empty(order.size, dtype=np.uint8)
    column[order] = np.cumsum(new_column) - 1
    rank[order] = place % MOST_EDGES
    begin = np.append(index[new_column], np.count_nonzero(distinct))
    return Ranks(sorted_feature[new_column], begin, sorted_edge[distinct], column, rank)


def left_edges(threshold: Floats, operator: Operator, *, lightgbm_zero: bool) -> Floats:
    """The largest number that each split sends left, (n_splits,): `x operator threshold` is `x <= edge`.

    With `lightgbm_zero` edges inside LightGBM's band of zeros move to where the band as a whole changes sides.
    ModelError for `x < -inf`, which sends nothing left.
    """
    nothing = threshold == -np.inf
    if operator == "<" and nothing.any():
        raise ModelError(f"split {int(np.argmax(nothing))} compares x < -inf, which no value meets")
    with np.errstate(over="ignore"):
        edge = (threshold if operator == "<=" else np.nextafter(threshold, -np.inf)) + 0.0  # -0 becomes 0
    if lightgbm_zero:
        zero = float(LIGHTGBM_ZERO)
        edge = np.where((edge >= -zero) & (edge < 0), np.nextafter(-zero, -np.inf), edge)
        edge = np.where((edge >= 0) & (edge < zero), zero, edge)
    return edge


def floored(edge: Floats) -> Features:
    """The largest float32 up to each number; infinities are themselves."""
    with np.errstate(over="ignore"):
        near = edge.astype(np.float32)
        return np.where(near > edge, np.nextafter(near, np.float32(-np.inf)), near)
