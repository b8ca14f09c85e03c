"""Gradients of LambdaRank in numpy, over all query groups at once.

Burges, "From RankNet to LambdaRank to LambdaMART: An Overview" (MSR-TR-2010-82): a pair of candidates with unlike
grades pulls apart by the logistic loss of its difference in score, times |delta NDCG| of swapping the two. As in
LightGBM, pairs have at least one candidate among the current top ones, and discounts are not cut off.
"""

from __future__ import annotations

import numpy as np

from harness.ranking_data import Floats, RankingData
from harness.trees.pruning.padded_groups import GroupBlock, discounts, group_blocks, places_best_first, sliced

_TOP = 30
_CELLS = 1 << 20


class LambdaRank:
    """First and second derivatives of the loss on one split, by the score of each row; NDCG's ideal is cut at `k`."""

    def __init__(self, data: RankingData, k: int) -> None:
        self._n_rows = data.n_rows
        self._top = max(k, _TOP)
        self._blocks = [
            part
            for block in group_blocks(data, k)
            for part in sliced(block, _CELLS // min(self._top, block.row.shape[1]))
        ]

    def derivatives(self, scores: Floats) -> tuple[Floats, Floats]:
        """Gradient and diagonal of the Hessian, each (n_rows,), at scores (n_rows,)."""
        padded = np.append(scores, -np.inf)
        first, second = np.zeros(self._n_rows + 1), np.zeros(self._n_rows + 1)
        for block in self._blocks:
            rows, own_first, own_second = self._of_block(block, padded)
            first[rows], second[rows] = own_first, own_second
        return first[:-1], second[:-1]

    def _of_block(self, block: GroupBlock, scores: Floats) -> tuple[np.ndarray, Floats, Floats]:
        order = places_best_first(scores[block.row])
        rows, gain = np.take_along_axis(block.row, order, axis=1), np.take_along_axis(block.gain, order, axis=1)
        width = rows.shape[1]
        top = min(self._top, width)
        place = np.arange(width)
        better = np.sign(gain[:, :top, None] - gain[:, None, :])
        counted = (place > place[:top, None]) & (gain[:, None, :] >= 0)
        discount = discounts(width)
        swap = np.abs(gain[:, :top, None] - gain[:, None, :]) * np.abs(discount[:top, None] - discount)
        swap *= counted / block.ideal_dcg[:, None, None]
        score = np.where(gain >= 0, scores[rows], 0.0)
        margin = better * (score[:, :top, None] - score[:, None, :])
        wrong = 1.0 / (1.0 + np.exp(np.clip(margin, -500, 500)))
        pull = better * wrong * swap
        curve = wrong * (1.0 - wrong) * swap
        first, second = pull.sum(axis=1), curve.sum(axis=1)
        first[:, :top] -= pull.sum(axis=2)
        second[:, :top] += curve.sum(axis=2)
        return rows, first, second
