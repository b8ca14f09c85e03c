"""The kernel as a shared library: compiled once for each instruction set, compiler and version of its sources."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bundle import sha256_of
from harness.cache import Cache, key_of
from harness.engines._compiler import Compiler, compile_library, find_compiler
from harness.engines._library_cache import finish, one_at_a_time, reopen
from harness.environment import isa
from harness.errors import EngineError

SOURCES = sorted(Path(__file__).parent.glob("*.[ch]"))
_LIBRARY = "bitblend.so"
_AVX2 = ("-mavx2", "-mpopcnt")
FLAGS = {
    "avx512": (*_AVX2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vbmi"),
    "avx2": _AVX2,
    "baseline": (),
}
"""Compiler flags of each instruction set, best first; without contraction all of them score bit for bit alike."""
_NEEDS = {"avx512": {"avx512f", "avx512bw", "avx512vl", "avx512vbmi"}, "avx2": {"avx2"}, "baseline": set[str]()}


class CModel(ctypes.Structure):
    """`struct model` of model.h."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("n_features", "n_columns", "n_category_columns", "n_rank_rows")),
        *((name, ctypes.c_int32) for name in ("n_leaf_rows", "n_rows", "n_groups")),
        *((name, ctypes.c_void_p) for name in ("columns", "tables", "exact", "categories", "codes", "sets")),
        *((name, ctypes.c_void_p) for name in ("groups", "bottoms", "tops", "trees", "leaves")),
        *((name, ctypes.c_double) for name in ("base", "scale", "no_category")),
    )


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


def supported() -> list[str]:
    """Instruction sets that this CPU has, best first."""
    return [name for name, needs in _NEEDS.items() if needs <= set(isa()["vector"])]


def instruction_set(wanted: str) -> str:
    """The instruction set that `wanted`, or `auto`, names; EngineError where this CPU lacks it."""
    name = supported()[0] if wanted == "auto" else wanted
    if name not in supported():
        lacking = ", ".join(sorted(_NEEDS[name] - set(isa()["vector"])))
        raise EngineError(
            f"this CPU can't run {name}: it lacks {lacking}",
            where="engine bitblend",
            remedy=f"set isa to auto or to one of: {', '.join(supported())}",
        )
    return name


def obtain(name: str, cache_dir: Path) -> Library:
    """The kernel for an instruction set: compiled unless `cache_dir` has it. Raises EngineError."""
    compiler, flags = find_compiler(), ("-O3", "-std=gnu11", "-ffp-contract=off", *FLAGS[name])
    spec = {
        "compiler": compiler.version,
        "flags": flags,
        "isa": isa(),
        "sources": [sha256_of(path) for path in SOURCES],
    }

    def build(work: Path) -> None:
        _build(work, compiler, flags, name)

    with one_at_a_time(cache_dir, "bitblend"):
        (entry, record), cached = Cache(cache_dir).obtain("bitblend", key_of(spec), build, reopen)
    return Library(load(entry / _LIBRARY), record, cached)


def _build(work: Path, compiler: Compiler, flags: tuple[str, ...], name: str) -> None:
    started = time.perf_counter()
    for source in SOURCES:
        (work / source.name).write_bytes(source.read_bytes())
    compile_library(compiler, sorted(work.glob("*.c")), work / _LIBRARY, flags)
    for leftover in [*work.glob("*.[cho]")]:
        leftover.unlink()
    record = {
        "isa": name,
        "compiler": compiler.version,
        "flags": " ".join(flags),
        "compile_s": round(time.perf_counter() - started, 3),
        "library_bytes": (work / _LIBRARY).stat().st_size,
    }
    finish(work, record, (_LIBRARY,))


def load(path: Path) -> ctypes.CDLL:
    """Load a compiled kernel and declare its functions. Raises EngineError."""
    try:
        functions = ctypes.CDLL(str(path.resolve()))
    except OSError as error:
        raise EngineError(
            f"can't load the compiled kernel: {error}",
            where=str(path),
            remedy="keep the cache on a file system that may hold programs (not mounted noexec)",
        ) from error
    model, address = ctypes.POINTER(CModel), ctypes.c_void_p
    for constant in (functions.permuted_leaves, functions.block_candidates):
        constant.argtypes, constant.restype = (), ctypes.c_int
    functions.scratch_bytes.argtypes, functions.scratch_bytes.restype = (model,), ctypes.c_int64
    for function in (functions.score, functions.leaf_numbers):
        function.argtypes = (address, address, ctypes.c_int, ctypes.c_int64, address, address)
        function.restype = None
    return functions
