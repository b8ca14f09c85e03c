"""The kernel as a shared library, its instruction sets, and its functions as Python calls them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engines._kernel import Kernel, load_functions

KERNEL = Kernel(
    "bytenet",
    Path(__file__).parent,
    flags={
        "avx512_vnni": ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512vnni"),
        "avx_vnni": ("-mavx2", "-mavxvnni"),
        "avx2": ("-mavx2",),
        "baseline": (),
    },
    needs={
        "avx512_vnni": frozenset({"avx512f", "avx512bw", "avx512vl", "avx512_vnni"}),
        "avx_vnni": frozenset({"avx2", "avx_vnni"}),
        "avx2": frozenset({"avx2"}),
        "baseline": frozenset(),
    },
)


class CModel(ctypes.Structure):
    """`struct model` of model.h."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("n_features", "n_missing", "n_layers", "most_groups")),
        *((name, ctypes.c_int32) for name in ("input_zero", "missing_byte")),
        *((name, ctypes.c_float) for name in ("input_least", "input_most")),
        *((name, ctypes.c_void_p) for name in ("scale", "shift", "log_terms", "missing", "layers", "weights", "runs")),
        *((name, ctypes.c_void_p) for name in ("biases", "multipliers", "output")),
        *((name, ctypes.c_double) for name in ("base", "unit")),
    )


@dataclass(frozen=True)
class Library:
    """The loaded kernel, what was recorded when it was compiled, and whether that was done before."""

    functions: ctypes.CDLL
    record: dict[str, Any]
    cached: bool

    @property
    def partial_bits(self) -> int:
        """Width of the sums that products are added up in first."""
        return int(self.functions.partial_bits())


def obtain(isa: str, cache_dir: Path) -> Library:
    """The kernel for an instruction set: compiled unless `cache_dir` has it. Raises EngineError."""
    compiled = KERNEL.obtain(isa, cache_dir)
    return Library(load(compiled.path), compiled.record, compiled.cached)


def load(path: Path) -> ctypes.CDLL:
    """Load a compiled kernel and declare its functions. Raises EngineError."""
    functions = load_functions(path)
    address = ctypes.c_void_p
    functions.partial_bits.argtypes, functions.partial_bits.restype = (), ctypes.c_int
    functions.scratch_bytes.argtypes, functions.scratch_bytes.restype = (ctypes.POINTER(CModel),), ctypes.c_int64
    functions.score.argtypes, functions.score.restype = (address, address, ctypes.c_int64, address, address), None
    return functions
