"""The kernel with one model's arrays: one call through ctypes per candidate list, which releases the GIL."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engines._kernel_memory import Scratch, aligned, written_address
from harness.engines.bitblend.library import CModel, Library
from harness.engines.bitblend.program import Program
from harness.errors import EngineError
from harness.ranking_data import Features, Floats
from harness.trees.forest import Ints
from harness.trees.parts import ELSEWHERE

TOLERANCE = 1e-6
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class BlendScorer:
    """Scores candidate lists; may be called from several threads at once.

    model: the arrays as the kernel takes them; address: where that stands.
    """

    info: Mapping[str, Any]

    def __init__(self, program: Program, library: Library, n_features: int, n_threads: int = 1) -> None:
        self._program, self._functions, self._n_features = program, library.functions, n_features
        self._arrays = {
            "columns": program.columns.columns,
            "tables": program.columns.tables,
            "exact": program.columns.exact,
            "categories": program.columns.categories.columns,
            "codes": program.columns.categories.codes,
            "sets": program.columns.categories.sets.reshape(-1),
            "groups": program.groups,
            "bottoms": program.bottoms,
            "tops": program.tops,
            "trees": program.trees,
            "leaves": program.leaves.values,
        }
        self._arrays = {name: aligned(array) for name, array in self._arrays.items()}
        self.model = CModel(
            n_features=n_features,
            n_columns=program.columns.columns.size,
            n_category_columns=program.columns.categories.columns.size,
            n_rank_rows=program.columns.n_rank_rows,
            n_leaf_rows=program.n_leaf_rows,
            n_rows=program.n_rows,
            n_groups=program.groups.size,
            base=program.base,
            scale=program.scale,
            no_category=program.no_category,
            **{name: array.ctypes.data for name, array in self._arrays.items()},
        )
        self.address = ctypes.addressof(self.model)
        self._scratch = Scratch(self._functions.scratch_bytes(self.model))
        self._block, self._n_threads = library.block_candidates, n_threads
        self._helpers = ThreadPoolExecutor(n_threads - 1, "bitblend") if n_threads > 1 else None
        self.info = {
            **library.record,
            "library": "bitblend",
            "cached": library.cached,
            "threads": n_threads,
            "block": library.block_candidates,
            "tolerance": TOLERANCE,
            "float64": True,
            "max_rounding": program.max_rounding,
            "table_bytes": program.table_bytes,
        }

    def score(self, x: Features | Floats) -> NDArray[np.float32]:
        """Scores (n,) float32 of x (n, n_features) float32 or float64 C-contiguous, NaN for missing.

        float64 rows are scored as the library of the model scores them: LightGBM compares them as they are, XGBoost
        rounds them to float32 first.
        """
        scores = np.empty(x.shape[0], dtype=np.float32)
        if self._helpers is None or x.shape[0] <= self._block:
            self._run(self._functions.score, x, scores)
        else:
            self._score_together(x, scores, self._helpers)
        return scores

    def _score_together(self, x: Features | Floats, scores: NDArray[np.float32], helpers: ThreadPoolExecutor) -> None:
        """The list in runs of whole blocks, one for each thread; this thread takes the first."""
        n_blocks = -(-x.shape[0] // self._block)
        n_parts = min(self._n_threads, n_blocks)
        starts = [part * n_blocks // n_parts * self._block for part in range(n_parts)]
        parts = [slice(start, end) for start, end in zip(starts, [*starts[1:], x.shape[0]], strict=True)]
        score = self._functions.score
        pending = [helpers.submit(self._run, score, x[part], scores[part]) for part in parts[1:]]
        self._run(score, x[parts[0]], scores[parts[0]])
        for part in pending:
            part.result()

    def leaf_nodes(self, x: Features | Floats) -> Ints:
        """The node (n_trees, n) of the bundle's forest that each row of x ends in, to check what scores are made of."""
        program = self._program
        numbers = np.empty((len(program.tree), x.shape[0]), dtype=np.uint8)
        self._run(self._functions.leaf_numbers, x, numbers)
        found = np.full((max(program.tree) + 1, x.shape[0]), ELSEWHERE, dtype=np.int32)
        for tree, nodes, own in zip(program.tree, program.leaf_nodes, numbers, strict=True):
            found[tree] = np.maximum(found[tree], nodes[own])
        return found

    def checked(self, x: Features | Floats) -> tuple[Features | Floats, bool]:
        """Rows as the kernel takes them, and whether they are float64. EngineError where they are none."""
        wide = x.dtype == _FLOAT64
        if x.ndim != 2 or x.shape[1] != self._n_features or not (wide or x.dtype == _FLOAT32):
            raise EngineError(f"needs float32 or float64 rows of {self._n_features} features, got {x.dtype} {x.shape}")
        if not x.flags.c_contiguous:
            raise EngineError(f"needs rows of {self._n_features} features one after the other (C-contiguous)")
        if wide and not self._program.wide:
            with np.errstate(over="ignore"):
                return x.astype(np.float32), False
        return x, wide

    def _run(self, function: Any, x: Features | Floats, out: NDArray[Any]) -> None:
        x, wide = self.checked(x)
        if not out.size:
            return
        room = self._scratch.take()
        function(self.address, x.ctypes.data, wide, x.shape[0], room.address, written_address(out))
        self._scratch.give(room)
