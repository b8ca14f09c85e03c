"""The kernel as a shared library, its instruction sets, and its functions as Python calls them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engines._kernel import Kernel, load_functions

_AVX2 = ("-mavx2", "-mpopcnt")
KERNEL = Kernel(
    "bitblend",
    Path(__file__).parent,
    flags={
        "avx512": (*_AVX2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vbmi"),
        "avx2": _AVX2,
        "baseline": (),
    },
    needs={
        "avx512": frozenset({"avx512f", "avx512bw", "avx512vl", "avx512vbmi"}),
        "avx2": frozenset({"avx2"}),
        "baseline": frozenset(),
    },
)


class CModel(ctypes.Structure):
    """`struct model` of model.h."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("n_features", "n_columns", "n_category_columns", "n_rank_rows")),
        *((name, ctypes.c_int32) for name in ("n_leaf_rows", "n_rows", "n_groups")),
        *((name, ctypes.c_void_p) for name in ("columns", "tables", "exact", "categories", "codes", "sets")),
        *((name, ctypes.c_void_p) for name in ("groups", "bottoms", "tops", "trees", "leaves")),
        *((name, ctypes.c_double) for name in ("base", "scale", "no_category")),
    )


class CExits(ctypes.Structure):
    """`struct exits` of model.h."""

    _fields_ = (("stages", ctypes.c_void_p), ("n_stages", ctypes.c_int32), ("k", ctypes.c_int32))


@dataclass(frozen=True)
class Library:
    """The loaded kernel, what was recorded when it was compiled, and whether that was done before."""

    functions: ctypes.CDLL
    record: dict[str, Any]
    cached: bool

    @property
    def permuted_leaves(self) -> int:
        """Most leaves of a tree that are looked up by byte permutes."""
        return int(self.functions.permuted_leaves())

    @property
    def block_candidates(self) -> int:
        """Candidates that go through the trees together, at most."""
        return int(self.functions.block_candidates())


def obtain(isa: str, cache_dir: Path) -> Library:
    """The kernel for an instruction set: compiled unless `cache_dir` has it. Raises EngineError."""
    compiled = KERNEL.obtain(isa, cache_dir)
    return Library(load(compiled.path), compiled.record, compiled.cached)


def load(path: Path) -> ctypes.CDLL:
    """Load a compiled kernel and declare its functions. Raises EngineError."""
    functions = load_functions(path)
    model, address = ctypes.POINTER(CModel), ctypes.c_void_p
    for constant in (functions.permuted_leaves, functions.block_candidates):
        constant.argtypes, constant.restype = (), ctypes.c_int
    functions.scratch_bytes.argtypes, functions.scratch_bytes.restype = (model,), ctypes.c_int64
    functions.leaving_scratch_bytes.argtypes = (model, ctypes.c_int64)
    functions.leaving_scratch_bytes.restype = ctypes.c_int64
    functions.score_leaving.argtypes = (address, address, address, ctypes.c_int, ctypes.c_int64, address, address)
    functions.score_leaving.restype = None
    for function in (functions.score, functions.leaf_numbers):
        function.argtypes = (address, address, ctypes.c_int, ctypes.c_int64, address, address)
        function.restype = None
    return functions
