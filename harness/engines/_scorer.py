"""The scorer that most engines return: a batch function of a library, behind the protocol's one method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features

SUM_ROUNDING = 8e-6
"""`info["tolerance"]` of engines that add up the same leaves as the reference: the most by which a score may differ,
as a share of the largest score; 64 roundings of a float32 sum. An engine without a tolerance is the reference."""
NETWORK_ROUNDING = 1e-5
"""The same for float32 networks, whose sums are of as many products as a layer has inputs, in another order."""


class LibraryScorer:
    """Wraps `predict`, which takes x (n, n_features) float32 with n > 0 and gives n numbers in any shape or type."""

    info: Mapping[str, Any]

    def __init__(self, predict: Callable[[Features], NDArray[Any]], info: Mapping[str, Any]) -> None:
        self._predict = predict
        self.info = info

    def score(self, x: Features) -> NDArray[np.float32]:
        """Scores (n,) float32; none for no rows, which several libraries would refuse."""
        if x.shape[0] == 0:
            return np.empty(0, dtype=np.float32)
        return self._predict(x).reshape(x.shape[0]).astype(np.float32, copy=False)
