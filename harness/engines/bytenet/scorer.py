"""The kernel with one network's arrays: one call through ctypes per candidate list, which releases the GIL."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engines._kernel_memory import Scratch, aligned, written_address
from harness.engines.bytenet.arithmetic import LOG_TERMS
from harness.engines.bytenet.library import CModel, Library
from harness.engines.bytenet.packing import Packed
from harness.errors import EngineError
from harness.ranking_data import Features

_FLOAT32 = np.dtype(np.float32)


class ByteScorer:
    """Scores candidate lists; may be called from several threads at once."""

    info: Mapping[str, Any]

    def __init__(self, packed: Packed, library: Library) -> None:
        self._score, self._n_features = library.functions.score, packed.n_features
        self._arrays = {name: aligned(array) for name, array in packed.arrays.items()}
        self._arrays["log_terms"] = aligned(LOG_TERMS)
        self._model = CModel(
            n_features=packed.n_features,
            n_missing=packed.missing.size,
            n_layers=packed.layers.size,
            most_groups=packed.most_groups,
            input_zero=packed.input_zero,
            missing_byte=packed.missing_byte,
            input_least=packed.input_least,
            input_most=packed.input_most,
            base=packed.base,
            unit=packed.unit,
            **{name: array.ctypes.data for name, array in self._arrays.items()},
        )
        self._address = ctypes.addressof(self._model)
        self._scratch = Scratch(library.functions.scratch_bytes(self._model))
        self.info = {
            **library.record,
            "library": "bytenet",
            "cached": library.cached,
            "threads": 1,
            "precision": "int8",
            "tolerance": None,
            "mean_run": round(float(packed.runs.mean()), 2),
            "table_bytes": sum(array.nbytes for array in self._arrays.values()),
        }

    def score(self, x: Features) -> NDArray[np.float32]:
        """Scores (n,) float32 of x (n, n_features) float32 C-contiguous, NaN for missing; n may be 0."""
        if x.ndim != 2 or x.shape[1] != self._n_features or x.dtype != _FLOAT32 or not x.flags.c_contiguous:
            raise EngineError(
                f"needs float32 rows of {self._n_features} features one after the other (C-contiguous), "
                f"got {x.dtype} {x.shape}"
            )
        scores = np.empty(x.shape[0], dtype=np.float32)
        if scores.size:
            room = self._scratch.take()
            self._score(self._address, x.ctypes.data, scores.size, room.address, written_address(scores))
            self._scratch.give(room)
        return scores
