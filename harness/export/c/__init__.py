"""C sources of the trees, by TL2cgen: `make` makes a shared library of them that needs nothing but libc and libm.

For a service in C, C++, Go, Rust or anything else that calls C: `ranker.h` has the one function to call. Thresholds are
compared as integers where the recipe's `quantise` step says so. Large ensembles take minutes to compile.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.bundle import Bundle
from harness.records import Manifest

USAGE = """\
import ctypes, subprocess, numpy
subprocess.run(["make", "-s"], check=True)  # once; C programs: see ranker.h
ranker_score = ctypes.CDLL("./libranker.so").ranker_score
ranker_score.argtypes = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
scores = numpy.empty(len(x), numpy.float32)
assert ranker_score(x.ctypes.data, len(x), scores.ctypes.data) == 0, "out of memory"
"""
_HERE = Path(__file__).parent
_OURS = ("ranker.c", "Makefile")
_NOT_NEEDED = ("main.c", "quantize.c", "recipe.json")  # TL2cgen's own way in, which ranker.c and batch.c stand in for


def refuses(manifest: Manifest) -> str:
    """Any trees; how large they may get is for the compiler to say."""
    return "" if manifest.format == "trees" else f"the C is generated from trees, this bundle is {manifest.format}"


def write(bundle: Bundle, out: Path) -> None:
    """Generate the sources, comparing integers where the recipe's `quantise` step says so.

    Raises EngineError for a split on too large a category.
    """
    from harness.engines.tl2cgen.generate import generate
    from harness.trees.artefacts import load

    quantize = bool(bundle.manifest.meta.get("quantise", {}).get("thresholds", False))
    generate(bundle, load(bundle), out, quantize=quantize)
    for name in _NOT_NEEDED:
        (out / name).unlink(missing_ok=True)
    for name in _OURS:
        shutil.copyfile(_HERE / name, out / name)
    header = (_HERE / "ranker.h").read_text(encoding="ascii")
    (out / "ranker.h").write_text(header.replace("N_FEATURES_OF_THE_MODEL", str(bundle.manifest.n_features)))


def lacks() -> str:
    """Make and a C compiler."""
    absent = [name for name in ("make", "cc") if shutil.which(name) is None]
    return f"{' and '.join(absent)} is not on PATH" if absent else ""
