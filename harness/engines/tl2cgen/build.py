"""A bundle's shared library: from the cache, or generated, compiled and checked, then kept there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bundle import Bundle, sha256_of
from harness.cache import Cache, key_of, package_versions
from harness.engines._compiler import Compiler, compile_library, find_compiler
from harness.engines._library_cache import finish, one_at_a_time, reopen
from harness.environment import isa

_HERE = Path(__file__).parent
_LIBRARY, _PROBE = "model.so", "probe.npz"


@dataclass(frozen=True)
class Build:
    """A compiled bundle: its library, the rows and reference scores to check it by, and what was recorded of it."""

    library: Path
    probe: Path
    record: dict[str, Any]
    cached: bool


def obtain(bundle: Bundle, *, quantize: bool, opt_level: int, cache_dir: Path) -> Build:
    """The bundle's library, compiled unless `cache_dir` has it. Raises EngineError."""
    compiler = find_compiler()
    flags = (f"-O{opt_level}",)
    spec = {
        "bundle": bundle.manifest.digest,
        "compiler": compiler.version,
        "flags": flags,
        "isa": isa(),
        "quantize": quantize,
        "sources": [sha256_of(path) for path in sorted([*_HERE.glob("*.c"), *_HERE.glob("*.py")])],
        "versions": package_versions("tl2cgen", "treelite"),
    }

    def build(work: Path) -> None:
        _build(bundle, work, compiler, flags, quantize=quantize)

    with one_at_a_time(cache_dir, "tl2cgen"):
        (path, record), cached = Cache(cache_dir).obtain("tl2cgen", key_of(spec), build, reopen)
    return Build(path / _LIBRARY, path / _PROBE, record, cached)


def _build(bundle: Bundle, work: Path, compiler: Compiler, flags: Sequence[str], *, quantize: bool) -> None:
    """Fill a cache entry. What compiling needs and serving does not is imported here, to keep servers small."""
    from importlib.metadata import version

    from harness.engines.tl2cgen.cross_check import cross_check
    from harness.engines.tl2cgen.generate import generate
    from harness.trees.artefacts import load

    forest, sources, library = load(bundle), work / "src", work / _LIBRARY
    started = time.perf_counter()
    n_units = generate(bundle, forest, sources, quantize=quantize)
    generated = time.perf_counter()
    # batch.c stands in for TL2cgen's own main.c and quantize.c
    compile_library(compiler, [*sorted(sources.glob("tu*.c")), sources / "batch.c"], library, flags)
    compiled = time.perf_counter()
    shutil.rmtree(sources)
    record = {
        "library": f"tl2cgen {version('tl2cgen')}",
        "compiler": compiler.version,
        "flags": " ".join(flags),
        "quantize": quantize,
        "units": n_units,
        "generate_s": round(generated - started, 3),
        "compile_s": round(compiled - generated, 3),
        "library_bytes": library.stat().st_size,
        **cross_check(library, bundle, forest, work / _PROBE),
    }
    finish(work, record, (_LIBRARY, _PROBE))
