"""Kernels in C that an engine brings along: compiled once for each instruction set, compiler and version of sources."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bundle import sha256_of
from harness.cache import Cache, key_of
from harness.engines._compiler import Compiler, compile_library, find_compiler
from harness.engines._library_cache import finish, one_at_a_time, reopen
from harness.environment import isa
from harness.errors import EngineError

_COMMON = ("-O3", "-std=gnu11", "-ffp-contract=off")  # without contraction all instruction sets score bit for bit alike


@dataclass(frozen=True)
class Kernel:
    """The sources of an engine's kernel and, best first, the instruction sets that it is compiled for.

    flags: the compiler's for each instruction set; needs: what the CPU must have for it.
    """

    engine: str
    folder: Path
    flags: Mapping[str, tuple[str, ...]]
    needs: Mapping[str, frozenset[str]]

    @property
    def sources(self) -> list[Path]:
        """C files and headers."""
        return sorted(self.folder.glob("*.[ch]"))

    def supported(self) -> list[str]:
        """Instruction sets that this CPU has, best first."""
        return [name for name in self.flags if self.needs[name] <= set(isa()["vector"])]

    def instruction_set(self, wanted: str) -> str:
        """The instruction set that `wanted`, or `auto`, names; EngineError where this CPU lacks it."""
        supported = self.supported()
        name = supported[0] if wanted == "auto" else wanted
        if name not in supported:
            lacking = ", ".join(sorted(self.needs[name] - set(isa()["vector"])))
            raise EngineError(
                f"this CPU can't run {name}: it lacks {lacking}",
                where=f"engine {self.engine}",
                remedy=f"set isa to auto or to one of: {', '.join(supported)}",
            )
        return name

    def obtain(self, name: str, cache_dir: Path) -> Compiled:
        """The kernel for an instruction set: compiled unless `cache_dir` has it. Raises EngineError."""
        compiler, flags = find_compiler(), (*_COMMON, *self.flags[name])
        spec = {
            "compiler": compiler.version,
            "flags": flags,
            "isa": isa(),
            "sources": [sha256_of(path) for path in self.sources],
        }
        with one_at_a_time(cache_dir, self.engine):
            (entry, record), cached = Cache(cache_dir).obtain(
                self.engine, key_of(spec), lambda work: self._build(work, compiler, flags, name), reopen
            )
        return Compiled(entry / self._library, record, cached)

    @property
    def _library(self) -> str:
        return f"{self.engine}.so"

    def _build(self, work: Path, compiler: Compiler, flags: tuple[str, ...], name: str) -> None:
        started = time.perf_counter()
        for source in self.sources:
            (work / source.name).write_bytes(source.read_bytes())
        compile_library(compiler, sorted(work.glob("*.c")), work / self._library, flags)
        for leftover in [*work.glob("*.[cho]")]:
            leftover.unlink()
        record = {
            "isa": name,
            "compiler": compiler.version,
            "flags": " ".join(flags),
            "compile_s": round(time.perf_counter() - started, 3),
            "library_bytes": (work / self._library).stat().st_size,
        }
        finish(work, record, (self._library,))


@dataclass(frozen=True)
class Compiled:
    """A shared library, what was recorded when it was compiled, and whether that was done before."""

    path: Path
    record: dict[str, Any]
    cached: bool


def load_functions(path: Path) -> ctypes.CDLL:
    """The functions of a compiled kernel, undeclared. Raises EngineError."""
    try:
        return ctypes.CDLL(str(path.resolve()))
    except OSError as error:
        raise EngineError(
            f"can't load the compiled kernel: {error}",
            where=str(path),
            remedy="keep the cache on a file system that may hold programs (not mounted noexec)",
        ) from error
