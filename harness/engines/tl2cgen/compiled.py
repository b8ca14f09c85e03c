"""A compiled library as a scorer: one call through ctypes per candidate list."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engines.tl2cgen.build import BLOCK_ROWS, Build
from harness.errors import EngineError
from harness.ranking_data import Features

_ENTRY_BYTES = 8  # union Entry holds at most a double


class CompiledScorer:
    """Scores with the library's `score_rows`; it works in a buffer of its own, so one call at a time."""

    info: Mapping[str, Any]

    def __init__(self, built: Build, n_features: int) -> None:
        started = time.perf_counter()
        try:
            library = ctypes.CDLL(str(built.library.resolve()))
        except OSError as error:
            raise EngineError(
                f"can't load the compiled library: {error}",
                where=str(built.library),
                remedy="keep the cache on a file system that may hold programs (not mounted noexec)",
            ) from error
        self._score_rows = library.score_rows
        self._score_rows.argtypes = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
        self._score_rows.restype = None
        self._n_features = n_features
        self._rows = np.empty(BLOCK_ROWS * n_features * _ENTRY_BYTES, dtype=np.uint8)
        self.info = {
            **built.record,
            "threads": 1,
            "cached": built.cached,
            "loaded_bytes": built.record["library_bytes"],
            "load_s": round(time.perf_counter() - started, 4),
        }

    def score(self, x: Features) -> NDArray[np.float32]:
        """Scores (n,) float32 of x (n, n_features) float32 C-contiguous, NaN for missing."""
        if x.shape[1] != self._n_features or x.dtype != np.float32 or not x.flags.c_contiguous:
            raise EngineError(f"needs float32 rows of {self._n_features} features, got {x.dtype} {x.shape}")
        scores = np.empty(x.shape[0], dtype=np.float32)
        self._score_rows(x.ctypes.data, x.shape[0], self._rows.ctypes.data, scores.ctypes.data)
        return scores
