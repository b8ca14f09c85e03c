"""Networks of other origin (TorchScript, ONNX): tried on two rows as wide as the data, then copied in."""

from __future__ import annotations

import shutil
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from harness.bundle import CANONICAL, Draft
from harness.errors import ModelError
from harness.protocols import Training
from harness.records import ModelSize

_REMEDY = "it must take float32 [n, n_features] and give one score per row, [n] or [n, 1]"
_N_ROWS = 2


def import_torchscript(path: Path, work: Training) -> Draft:
    """Bundle a TorchScript file."""
    import torch

    x = torch.zeros(_N_ROWS, work.splits.train.n_features)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*torch\.jit", category=DeprecationWarning)
            module = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"not a TorchScript file: {_reason(error)}", where=str(path), remedy="save it with torch.jit.save"
        ) from error
    try:
        with torch.no_grad():
            scores = module(x)
    except (RuntimeError, ValueError) as error:
        raise _misfit(path, work, error) from error
    shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else ()
    _check_shape(shape, path)
    return _copied(path, "torchscript", work, sum(p.numel() for p in module.parameters()))


def import_onnx(path: Path, work: Training) -> Draft:
    """Bundle an ONNX file; it is tried where onnxruntime is installed."""
    if find_spec("onnxruntime") is None:
        return _copied(path, "onnx", work, 0)
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"not a readable ONNX file: {_reason(error)}", where=str(path), remedy=_REMEDY) from error
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise ModelError(f"takes {len(inputs)} inputs", where=str(path), remedy=_REMEDY)
    x = np.zeros((_N_ROWS, work.splits.train.n_features), dtype=np.float32)
    try:
        scores = session.run(None, {inputs[0].name: x})[0]
    except Exception as error:
        raise _misfit(path, work, error) from error
    _check_shape(np.shape(scores), path)
    return _copied(path, "onnx", work, _n_weights(path))


def _n_weights(path: Path) -> int:
    """Numbers in an ONNX file's initialisers; 0 where the onnx package is not installed to count them."""
    if find_spec("onnx") is None:
        return 0
    import onnx

    graph = onnx.load(str(path)).graph
    return sum(int(np.prod(tensor.dims)) for tensor in graph.initializer)


def _copied(path: Path, format_name: str, work: Training, n_parameters: int) -> Draft:
    shutil.copyfile(path, work.out / CANONICAL[format_name])
    data = work.splits.train
    return Draft(format_name, data.n_features, data.feature_names, ModelSize(n_parameters=n_parameters))


def _check_shape(shape: tuple[int, ...], path: Path) -> None:
    if shape not in ((_N_ROWS,), (_N_ROWS, 1)):
        raise ModelError(f"gives scores of shape {shape} for {_N_ROWS} rows", where=str(path), remedy=_REMEDY)


def _misfit(path: Path, work: Training, error: Exception) -> ModelError:
    return ModelError(
        f"can't score rows of {work.splits.train.n_features} features: {_reason(error)}",
        where=str(path),
        remedy=_REMEDY,
    )


def _reason(error: Exception) -> str:
    """The last line of an error's text, where libraries put the reason."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
