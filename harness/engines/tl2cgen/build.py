"""From a tree bundle to a shared library: C by TL2cgen, machine code by the C compiler, kept in the cache."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tl2cgen

from harness.bundle import Bundle, sha256_of
from harness.cache import Cache, key_of, package_versions
from harness.engines._compiler import Compiler, compile_library, find_compiler
from harness.engines._treelite import load_model
from harness.engines.tl2cgen.thresholds import c_tables, thresholds_of
from harness.environment import isa
from harness.errors import EngineError, ModelError
from harness.trees.forest import Forest

BLOCK_ROWS = 128
NODES_PER_UNIT = 800  # some 24 kB of machine code: a unit stays in a first-level instruction cache
_BATCH_C = Path(__file__).with_name("batch.c")
_LIBRARY, _RECORD = "model.so", "build.json"


@dataclass(frozen=True)
class Build:
    """A compiled bundle: its library, what was recorded when it was built, and whether it came from the cache."""

    library: Path
    record: dict[str, Any]
    cached: bool


def obtain(bundle: Bundle, forest: Forest, *, quantize: bool, opt_level: int, cache_dir: Path) -> Build:
    """The bundle's library, compiled unless `cache_dir` has it. Raises EngineError."""
    compiler = find_compiler()
    flags = (f"-O{opt_level}",)
    spec = {
        "bundle": bundle.manifest.digest,
        "compiler": compiler.version,
        "flags": flags,
        "isa": isa(),
        "quantize": quantize,
        "units": [BLOCK_ROWS, NODES_PER_UNIT],
        "sources": [sha256_of(_BATCH_C), sha256_of(Path(__file__))],
        "versions": package_versions("tl2cgen", "treelite"),
    }

    def build(work: Path) -> None:
        sources = work / "src"
        started = time.perf_counter()
        n_units = _generate(bundle, forest, sources, quantize=quantize)
        generated = time.perf_counter()
        _compile(sources, work / _LIBRARY, compiler, flags)
        record = {
            "library": f"tl2cgen {tl2cgen.__version__}",
            "compiler": compiler.version,
            "flags": " ".join(flags),
            "quantize": quantize,
            "units": n_units,
            "generate_s": round(generated - started, 3),
            "compile_s": round(time.perf_counter() - generated, 3),
            "library_bytes": (work / _LIBRARY).stat().st_size,
            "library_sha256": sha256_of(work / _LIBRARY),
        }
        (work / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        shutil.rmtree(sources)

    with _one_at_a_time(cache_dir):
        (path, record), cached = Cache(cache_dir).obtain("tl2cgen", key_of(spec), build, _reopen)
    return Build(path, record, cached)


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


def _reopen(entry: Path) -> tuple[Path, dict[str, Any]]:
    """The library of a cache entry and its record; ModelError where the entry is damaged, so that it is built anew."""
    try:
        record: dict[str, Any] = json.loads((entry / _RECORD).read_bytes())
        if sha256_of(entry / _LIBRARY) != record["library_sha256"]:
            raise ModelError("the compiled library does not match its digest", where=str(entry))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"not a finished build: {error}", where=str(entry)) from error
    return entry / _LIBRARY, record


def _generate(bundle: Bundle, forest: Forest, sources: Path, *, quantize: bool) -> int:
    """Write the C sources of the model and of the batch entry point; the number of units."""
    n_trees = len(forest.trees)
    wanted = min(max(1, round(forest.n_nodes / NODES_PER_UNIT)), n_trees)
    model = load_model(bundle)
    with _quiet() as said:
        try:
            tl2cgen.generate_c_code(model, sources, {"parallel_comp": wanted, "quantize": int(quantize)})
        except tl2cgen.TL2cgenError as error:
            raise EngineError(
                f"TL2cgen {tl2cgen.__version__} can't compile it: {error}\n{said()}".strip(),
                where=str(bundle.path),
                remedy="use engine: gtil, or native where the bundle has its library's own file",
            ) from error
    n_units = len(list(sources.glob("tu*.c")))
    value_type = {"float32": "float", "float64": "double"}[forest.threshold_type]
    lines = [
        f"typedef {value_type} value_t;",
        f"#define N_FEATURES {forest.n_features}",
        f"#define BLOCK_ROWS {BLOCK_ROWS}",
        f"#define BASE_SCORE ((value_t){forest.base_score!r})",
        f"#define N_AVERAGED {n_trees if forest.average else 1}",
        f"#define EACH_UNIT(f) {' '.join(f'f({unit})' for unit in range(n_units))}",
    ]
    if quantize:
        lines += ["#define QUANTIZED", *c_tables(thresholds_of(forest))]
    (sources / "batch.h").write_text("\n".join(lines) + "\n", encoding="ascii")
    shutil.copy(_BATCH_C, sources)
    return n_units


def _compile(sources: Path, library: Path, compiler: Compiler, flags: tuple[str, ...]) -> None:
    """Compile the units and batch.c, which stands in for TL2cgen's own main.c and quantize.c."""
    compile_library(compiler, [*sorted(sources.glob("tu*.c")), sources / _BATCH_C.name], library, flags)


@contextlib.contextmanager
def _quiet() -> Iterator[Any]:
    """Keep TL2cgen's log (Python's stdout) and its Treelite's version warning (the C stderr) off the terminal.

    Yields a function that returns what was said.
    """
    sys.stderr.flush()
    kept, log = os.dup(2), io.StringIO()
    with tempfile.TemporaryFile() as file:

        def said() -> str:
            file.seek(0)
            return (file.read().decode(errors="replace") + log.getvalue()).strip()

        os.dup2(file.fileno(), 2)
        try:
            with contextlib.redirect_stdout(log):
                yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
