"""ONNX Runtime sessions on the CPU, and the scorers around them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engines._scorer import LibraryScorer
from harness.errors import EngineError
from harness.ranking_data import Features

EXTRA = "pip install 'ranking-latency-harness[onnx]'"


def missing_packages(*packages: str) -> str:
    """What of the extra `onnx` is not installed; empty where all is there."""
    missing = _missing(packages)
    return f"{missing}: {EXTRA}" if missing else ""


def _missing(packages: Sequence[str]) -> str:
    absent = [package for package in packages if find_spec(package) is None]
    return f"the package {' and '.join(absent)} is missing" if absent else ""


def open_session(model: str | bytes, where: str, n_threads: int, facts: dict[str, Any]) -> LibraryScorer:
    """A scorer of an ONNX file, or of its content; `facts` go into its `info`. Raises EngineError."""
    missing = _missing(["onnxruntime"])
    if missing:
        raise EngineError(missing, where=where, remedy=EXTRA)
    import onnxruntime

    started = time.perf_counter()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = n_threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
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
        "threads": n_threads,
        **facts,
        "load_s": round(time.perf_counter() - started, 4),
    }
    return LibraryScorer(predict, info)
