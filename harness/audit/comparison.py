"""An answer against offline scores of the same candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.protocols import Ranking
from harness.ranking_data import Floats

_TINY = 1e-30


def disagreement(ranking: Ranking, offline: NDArray[np.float32]) -> float:
    """By how much an answer contradicts offline scores (n,), as a share of the largest of them; infinite for a NaN.

    Scores contradict by their largest difference. An order contradicts by the largest rise of the offline scores from
    one of its places to a later one: 0 where they never rise.
    """
    expected = offline.astype(np.float64)
    if expected.size == 0:
        return 0.0
    scale = max(float(np.abs(expected).max()), _TINY)
    if ranking.order is not None:
        along = expected[ranking.order]
        gap = float((np.maximum.accumulate(along[::-1])[::-1] - along).max())
    else:
        gap = float(np.abs(keys_of(ranking) - expected).max())
    return gap / scale if np.isfinite(gap) else float("inf")


def keys_of(ranking: Ranking) -> Floats:
    """Numbers (n,) in the order of the candidates, the higher the better placed."""
    if ranking.order is None:
        return ranking.scores if ranking.scores is not None else np.empty(0)
    keys = np.empty(ranking.order.size)
    keys[ranking.order] = -np.arange(ranking.order.size, dtype=np.float64)
    return keys
