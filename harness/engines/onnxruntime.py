"""ONNX Runtime on the CPU, for the user's own .onnx file (optional extra `onnx`).

Defines the scores of an ONNX bundle. The file takes one float32 input [n, n_features] and its first output is one
score per row, [n] or [n, 1].
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.bundle import Bundle
from harness.engines._scorer import LibraryScorer
from harness.errors import EngineError
from harness.protocols import PluginOptions, Scorer
from harness.ranking_data import Features
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of the onnxruntime engine."""

    n_threads: int = Field(default=1, ge=1, le=256, description="threads inside one operator")


def refuses(options: Options, manifest: Manifest) -> str:
    """Needs an ONNX bundle, and the package."""
    if manifest.format != "onnx":
        return f"it scores ONNX bundles, this one is {manifest.format}"
    if find_spec("onnxruntime") is None:
        return "the package onnxruntime is missing: pip install 'ranking-latency-harness[onnx]'"
    return ""


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Load the ONNX file. Raises EngineError."""
    where = str(bundle.artefact)
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError(
            "the package onnxruntime is missing",
            where="engine onnxruntime",
            remedy="pip install 'ranking-latency-harness[onnx]'",
        ) from error
    started = time.perf_counter()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.n_threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(where, settings, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise EngineError(f"ONNX Runtime can't read it: {reason}", where=where, remedy="export it again") from error
    inputs, output = session.get_inputs(), session.get_outputs()[0].name
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        found = ", ".join(f"{tensor.name}: {tensor.type}" for tensor in inputs)
        raise EngineError(
            f"takes {found}", where=where, remedy="export it with one float32 input of shape [n, n_features]"
        )
    name = inputs[0].name

    def predict(x: Features) -> NDArray[Any]:
        return np.asarray(session.run([output], {name: x})[0])

    info = {
        "library": f"onnxruntime {onnxruntime.__version__}",
        "threads": options.n_threads,
        "loaded_bytes": bundle.artefact.stat().st_size,
        "load_s": round(time.perf_counter() - started, 4),
    }
    return LibraryScorer(predict, info)
