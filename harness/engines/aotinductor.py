"""A network compiled ahead of time by torch (AOTInductor) to one C++ library; kept in the cache.

Takes a C++ compiler, and half a minute the first time. Every package is compared with the network in torch when it is
loaded, on rows with missing and infinite values, and refused where it differs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.bundle import Bundle
from harness.cache import Cache, key_of, package_versions
from harness.engines._library_cache import finish, one_at_a_time, reopen
from harness.engines._networks import refuses_int8
from harness.engines._scorer import NETWORK_ROUNDING, LibraryScorer
from harness.environment import compiler_version, isa
from harness.errors import EngineError
from harness.protocols import PluginOptions, Scorer
from harness.ranking_data import Features
from harness.records import Manifest

_PACKAGE = "model.pt2"
_CHECK_ROWS = 128


class Options(PluginOptions):
    """Keys of the aotinductor engine."""

    n_threads: int = Field(default=1, ge=1, le=256, description="threads that score one candidate list")


def refuses(options: Options, manifest: Manifest) -> str:
    """Needs a float32 network, and a C++ compiler."""
    if manifest.format != "mlp":
        return f"it compiles networks of the mlp format, this bundle is {manifest.format}"
    if reason := refuses_int8(manifest):
        return reason
    return "" if shutil.which("g++") or shutil.which("clang++") else "needs a C++ compiler, such as g++, on PATH"


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Compile the network unless `cache_dir` has it, load it, and check its scores. Raises EngineError."""
    import torch

    spec = {
        "bundle": bundle.manifest.digest,
        "versions": package_versions("torch"),
        "isa": isa(),
        "compiler": compiler_version(),
        "code": key_of([Path(file).read_text(encoding="utf-8") for file in _sources()]),
    }
    with one_at_a_time(cache_dir, "aotinductor"):
        (entry, record), cached = Cache(cache_dir).obtain(
            "aotinductor", key_of(spec), lambda work: _compile(bundle, work), reopen
        )
    started = time.perf_counter()
    torch.set_num_threads(options.n_threads)
    package = torch._inductor.aoti_load_package(str(entry / _PACKAGE))

    def predict(x: Features) -> NDArray[Any]:
        with torch.inference_mode():
            scores: NDArray[Any] = package(torch.from_numpy(x)).numpy()
            return scores

    info = {
        "library": f"torch {torch.__version__}",
        "threads": options.n_threads,
        "tolerance": NETWORK_ROUNDING,
        **record,
        "cached": cached,
        "loaded_bytes": (entry / _PACKAGE).stat().st_size,
    }
    scorer = LibraryScorer(predict, info)
    info["max_abs_difference"] = _checked(scorer, bundle, entry)
    info["load_s"] = round(time.perf_counter() - started, 4)
    return scorer


def _sources() -> list[Path]:
    room = Path(__file__).resolve().parents[1] / "mlp"
    return [room / name for name in ("aot_compile.py", "torch_module.py", "transform.py")]


def _compile(bundle: Bundle, work: Path) -> None:
    started = time.perf_counter()
    command = [sys.executable, "-m", "harness.mlp.aot_compile", str(bundle.artefact.resolve())]
    done = subprocess.run(
        [*command, str((work / _PACKAGE).resolve()), str(os.getpid())], capture_output=True, text=True, check=False
    )
    if done.returncode or not (work / _PACKAGE).is_file():
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise EngineError(
            f"torch can't compile it (exit status {done.returncode}): {last}",
            where="engine aotinductor",
            remedy="use engine: native or onnxruntime",
        )
    record = {"compile_s": round(time.perf_counter() - started, 3), "compiler": compiler_version()}
    finish(work, record, [_PACKAGE])


def _checked(scorer: LibraryScorer, bundle: Bundle, entry: Path) -> float:
    """Largest difference from torch's own scores; EngineError where it is more than rounding."""
    from harness.mlp.scorer import open_scorer

    rng = np.random.default_rng(0)
    x = rng.normal(scale=3.0, size=(_CHECK_ROWS, bundle.manifest.n_features)).astype(np.float32)
    special = rng.choice(np.array([np.nan, np.inf, -np.inf, 0.0], dtype=np.float32), x.shape)
    x = np.where(rng.random(x.shape) < 0.1, special, x)
    expected = open_scorer(bundle.artefact, n_threads=int(scorer.info["threads"])).score(x)
    difference = float(np.abs(scorer.score(x) - expected).max())
    if not difference <= NETWORK_ROUNDING * float(np.abs(expected).max()):
        raise EngineError(
            f"the compiled network scores differently, by up to {difference:.3g}",
            where=str(entry),
            remedy="use engine: native or onnxruntime",
        )
    return difference
