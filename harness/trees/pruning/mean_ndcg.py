"""Mean NDCG@k of many rankings of the same data at once: what a search over tree weights asks for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats, RankingData
from harness.trees.pruning.padded_groups import GroupBlock, discounts, group_blocks, places_best_first, sliced

_CELLS = 1 << 20


class MeanNdcg:
    """Mean NDCG@k over the query groups with a positive grade of `data`; equal scores keep the order of the rows.

    Scores are compared as `places_best_first` does.
    """

    def __init__(self, data: RankingData, k: int) -> None:
        self._blocks = group_blocks(data, k)
        self._k = k
        self.n_groups = sum(block.row.shape[0] for block in self._blocks)

    def of(self, scores: Floats) -> float:
        """Mean NDCG of scores (n_rows,)."""
        return float(self.along(scores, np.zeros_like(scores), np.zeros(1))[0])

    def along(self, scores: Floats, direction: NDArray[np.floating], steps: Floats) -> Floats:
        """Mean NDCG of `scores + step * direction` for each of the steps, shape (n_steps,)."""
        origin, heading = np.append(scores, -np.inf), np.append(direction, 0.0)
        total: Floats = np.zeros(steps.size)
        for whole in self._blocks:
            for block in sliced(whole, _CELLS // steps.size):
                s, d = origin[block.row], heading[block.row]
                total += self._ndcg(block, s + steps[:, None, None] * d)
        total /= max(self.n_groups, 1)
        return total

    def _ndcg(self, block: GroupBlock, scores: Floats) -> Floats:
        """Sum over groups, (n_steps,), of scores (n_steps, n_groups, width)."""
        top = places_best_first(scores)[..., : self._k]
        gain = np.maximum(np.take_along_axis(block.gain[None], top, axis=2), 0.0)
        dcg = gain @ discounts(top.shape[-1])
        summed: Floats = (dcg / block.ideal_dcg).sum(axis=1)
        return summed
