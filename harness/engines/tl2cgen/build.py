"""A bundle's shared library: from the cache, or generated, compiled and checked, then kept there."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bundle import Bundle, sha256_of
from harness.cache import Cache, key_of, package_versions
from harness.engines._compiler import Compiler, compile_library, find_compiler
from harness.environment import isa
from harness.errors import EngineError, ModelError

_HERE = Path(__file__).parent
_LIBRARY, _PROBE, _RECORD = "model.so", "probe.npz", "build.json"


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

    with _one_at_a_time(cache_dir):
        (path, record), cached = Cache(cache_dir).obtain("tl2cgen", key_of(spec), build, _reopen)
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
        "files": {name: sha256_of(work / name) for name in (_LIBRARY, _PROBE)},
    }
    (work / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _reopen(entry: Path) -> tuple[Path, dict[str, Any]]:
    """A cache entry and its record; ModelError where it is damaged, so that it is built anew."""
    try:
        record: dict[str, Any] = json.loads((entry / _RECORD).read_bytes())
        damaged = [name for name, digest in record.pop("files").items() if sha256_of(entry / name) != digest]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"not a finished build: {error}", where=str(entry)) from error
    if damaged:
        raise ModelError(f"{', '.join(damaged)} does not match its digest", where=str(entry))
    return entry, record


@contextlib.contextmanager
def _one_at_a_time(cache_dir: Path) -> Iterator[None]:
    """Let one process compile while others (workers of one server) wait and then find its library in the cache."""
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        lock = (cache_dir / ".tl2cgen.lock").open("wb")
    except OSError as error:
        raise EngineError(
            f"can't write compiled code: {error.strerror or error}",
            where=str(cache_dir),
            remedy="free some space, or set HARNESS_CACHE to a folder you may write to",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed, by the process's death at the latest
        yield
