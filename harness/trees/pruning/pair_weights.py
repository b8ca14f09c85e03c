"""How much each candidate matters to NDCG@k under a given ranking: the sum of |delta NDCG| over its pairs."""

from __future__ import annotations

import numpy as np

from harness.ranking_data import Floats, RankingData
from harness.trees.pruning.padded_groups import discounts


def pair_weights(scores: Floats, data: RankingData, k: int) -> Floats:
    """(n_rows,) per candidate, the sum over the other candidates of its query group of |delta NDCG@k| of a swap.

    The ranking is that of `scores` (n_rows,). The change by a swap is LambdaRank's (Burges, MSR-TR-2010-82): difference
    of gains times difference of discounts, over the ideal DCG@k. A candidate of a group without positives weighs 0.
    """
    weights = np.zeros(data.n_rows)
    gains = np.exp2(data.grades.astype(np.float64)) - 1.0
    for group in range(data.n_groups):
        rows = data.rows_of(group)
        weights[rows] = _of_group(scores[rows], gains[rows], k)
    return weights


def _of_group(scores: Floats, gains: Floats, k: int) -> Floats:
    n, discount = min(k, scores.size), discounts(scores.size, k)
    ideal = float(np.sort(gains)[::-1] @ discount)
    if ideal == 0:
        return np.zeros(scores.size)
    order = np.argsort(-scores, kind="stable")
    ranked = gains[order]
    # A swap changes nothing unless one of the two ranks in the first k, so k x n pairs are all there are.
    change = np.abs(ranked[:n, None] - ranked) * np.abs(discount[:n, None] - discount) / ideal
    total = np.zeros(scores.size)
    total[:n] = change.sum(axis=1)
    total[n:] = change[:, n:].sum(axis=0)
    weights = np.empty(scores.size)
    weights[order] = total
    return weights
