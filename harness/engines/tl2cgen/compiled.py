"""A compiled library as a scorer: one call through ctypes per candidate list."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engines._scorer import SUM_ROUNDING
from harness.errors import EngineError
from harness.ranking_data import Features

BLOCK_ROWS = 128
_ENTRY_BYTES = 8  # union Entry holds at most a double


class CompiledScorer:
    """Scores with the library's `score_rows`; it works in a buffer of its own, so one call at a time."""

    info: Mapping[str, Any]

    def __init__(self, library: Path, n_features: int, info: Mapping[str, Any] | None = None) -> None:
        try:
            self._score_rows = ctypes.CDLL(str(library.resolve())).score_rows
        except OSError as error:
            raise EngineError(
                f"can't load the compiled library: {error}",
                where=str(library),
                remedy="keep the cache on a file system that may hold programs (not mounted noexec)",
            ) from error
        self._score_rows.argtypes = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
        self._score_rows.restype = None
        self._library, self._n_features = library, n_features
        self._rows = np.empty(BLOCK_ROWS * n_features * _ENTRY_BYTES, dtype=np.uint8)
        self.info = {**(info or {}), "threads": 1, "tolerance": SUM_ROUNDING}

    def score(self, x: Features) -> NDArray[np.float32]:
        """Scores (n,) float32 of x (n, n_features) float32 C-contiguous, NaN for missing."""
        if x.shape[1] != self._n_features or x.dtype != np.float32 or not x.flags.c_contiguous:
            raise EngineError(f"needs float32 rows of {self._n_features} features, got {x.dtype} {x.shape}")
        scores = np.empty(x.shape[0], dtype=np.float32)
        self._score_rows(x.ctypes.data, x.shape[0], self._rows.ctypes.data, scores.ctypes.data)
        return scores

    def check(self, x: Features, expected: NDArray[np.float32], *, against: str) -> float:
        """Largest difference from the scores expected (n,); EngineError where it is more than rounding."""
        found = self.score(x)
        difference = np.abs(found - expected)
        if not (difference <= SUM_ROUNDING * np.abs(expected).max()).all():
            row = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
            raise EngineError(
                f"the compiled model scores {found[row]} where {against} scores {expected[row]} (probe row {row})",
                where=str(self._library),
                remedy="use engine: gtil, or native where the bundle has its library's own file",
            )
        return float(difference.max())
