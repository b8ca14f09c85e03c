"""What each tree of a forest adds to the scores of a split: the matrix that pruning and re-weighting work on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features, Floats, RankingData
from harness.trees.forest import Forest
from harness.trees.pruning.mean_ndcg import MeanNdcg
from harness.trees.traverse import leaf_index

_MAX_ROWS = 100_000
_MAX_BYTES = 256 << 20
_BLOCK_ROWS = 16_384


@dataclass(frozen=True)
class TreeScores:
    """By tree and row: matrix (n_trees, n_rows) float32 of leaf values, for rows of `data`; NDCG is cut at `k`.

    `note` says how many rows were left out to bound the matrix, or is empty.
    """

    matrix: Features
    data: RankingData
    k: int
    note: str = ""

    @property
    def n_trees(self) -> int:
        """Trees of the forest."""
        return int(self.matrix.shape[0])

    @cached_property
    def total(self) -> Floats:
        """(n_rows,) scores of the whole forest, but for its base score."""
        return self.weighted(np.ones(self.n_trees))

    @cached_property
    def teacher(self) -> Floats:
        """(n_rows,) query-centred scores of the whole forest."""
        return self.data.centred(self.total)

    @cached_property
    def labels(self) -> Floats:
        """(n_rows,) query-centred gains 2^grade - 1, as widely spread as the teacher's scores."""
        gains = self.data.centred(np.exp2(self.data.grades.astype(np.float64)) - 1.0)
        spread = float(gains.std())
        return gains * (float(self.teacher.std()) / spread) if spread > 0 else gains

    @cached_property
    def gram(self) -> Floats:
        """(n_trees, n_trees) mean products of query-centred tree scores."""
        total = np.zeros((self.n_trees, self.n_trees))
        for block, _ in self.centred_blocks():
            total += block @ block.T
        return total / self.data.n_rows

    @cached_property
    def mean_ndcg(self) -> MeanNdcg:
        """NDCG of scores of these rows."""
        return MeanNdcg(self.data, self.k)

    @cached_property
    def teacher_moments(self) -> Floats:
        """(n_trees,) mean products of query-centred tree scores with `teacher`, which is their sum."""
        summed: Floats = self.gram.sum(axis=1)
        return summed

    @cached_property
    def label_moments(self) -> Floats:
        """(n_trees,) mean products of query-centred tree scores with `labels`."""
        return self._moments(self.labels)

    def _moments(self, target: Floats) -> Floats:
        product: Floats = sum((block @ target[rows] for block, rows in self.centred_blocks()), np.zeros(self.n_trees))
        return product / self.data.n_rows

    def weighted(self, weights: Floats, trees: NDArray[np.intp] | None = None) -> Floats:
        """(n_rows,) scores of the trees (all by default) with weights (n_trees,)."""
        total = np.zeros(self.data.n_rows)
        for tree, weight in zip(range(self.n_trees) if trees is None else trees.tolist(), weights, strict=True):
            total += weight * self.matrix[tree]
        return total

    def centred_blocks(self) -> Iterator[tuple[Floats, slice]]:
        """Query-centred columns of the matrix in float64, some query groups at a time, and their rows."""
        offsets = self.data.offsets
        first = 0
        while first < self.data.n_groups:
            last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + _BLOCK_ROWS, side="right")) - 1)
            rows = slice(int(offsets[first]), int(offsets[last]))
            wide = self.matrix[:, rows].astype(np.float64)
            sizes = self.data.group_sizes[first:last]
            means = np.add.reduceat(wide, offsets[first:last] - offsets[first], axis=1) / sizes
            yield wide - np.repeat(means, sizes, axis=1), rows
            first = last


def tree_scores(forest: Forest, split: RankingData, k: int) -> TreeScores:
    """The matrix of a split, thinned to evenly spaced query groups: at most 100,000 rows and 256 MiB, roughly."""
    most = max(1, min(_MAX_ROWS, _MAX_BYTES // (4 * len(forest.trees))))
    data = split.thinned(most)
    matrix = np.empty((len(forest.trees), data.n_rows), dtype=np.float32)
    columns = np.asfortranarray(data.features)
    for index, tree in enumerate(forest.trees):
        matrix[index] = tree.value[leaf_index(tree, columns, forest.operator)]
    note = ""
    if data.n_rows < split.n_rows:
        note = f"{split.name}: {data.n_groups} of {split.n_groups} query groups ({data.n_rows} of {split.n_rows} rows)"
    return TreeScores(matrix, data, k, note)
