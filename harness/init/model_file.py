"""The user's model file: what wrote it, how many features it takes, and their names where it tells them."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from harness.errors import ModelError
from harness.rankers.file import format_of
from harness.trees.formats.foreign import TreeFormat, require_file, width_of

_NETWORKS = ("torchscript", "onnx")
_NAMES_KEY = b"feature_names="


@dataclass(frozen=True)
class ModelFile:
    """A model that was read; `n_features` is None where only the data can tell, `feature_names` may be empty."""

    path: Path
    format: str
    n_features: int | None
    feature_names: tuple[str, ...] = ()

    @property
    def is_network(self) -> bool:
        """Whether it is a network, which no tree method compresses."""
        return self.format in _NETWORKS


def read_model(path: Path) -> ModelFile:
    """Read a model file, trees in a process of their own. ModelError where that fails."""
    require_file(path)
    kind = format_of(path)
    match kind:
        case "torchscript":
            _check_archive(path)
            return ModelFile(path, kind, None)  # only running its code would tell more
        case "onnx":
            return ModelFile(path, kind, _onnx_width(path))
        case "lightgbm":
            names = _lightgbm_names(path)
        case "xgboost":
            names = _xgboost_names(path)
        case _:
            names = ()
    return ModelFile(path, kind, width_of(path, cast(TreeFormat, kind)), names)


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            torchscript = any("/code/" in name for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        torchscript = False
    if not torchscript:
        raise ModelError(
            "not a TorchScript file", where=str(path), remedy="save it with torch.jit.script(model).save(path)"
        )


def _onnx_width(path: Path) -> int | None:
    """The width of its one input [n, n_features]; None where the file leaves it open."""
    from harness.engines._onnx_session import EXTRA

    if find_spec("onnxruntime") is None:
        raise ModelError("ONNX files need the package onnxruntime, which is missing", where=str(path), remedy=EXTRA)
    import onnxruntime

    try:
        inputs = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ModelError(f"not a readable ONNX file: {reason}", where=str(path), remedy="export it again") from error
    if len(inputs) != 1 or len(inputs[0].shape) != 2:
        shapes = ", ".join(f"{one.name} {one.shape}" for one in inputs)
        raise ModelError(f"takes {shapes}", where=str(path), remedy="it must take one float32 [n, n_features]")
    width = inputs[0].shape[1]
    return width if isinstance(width, int) else None


def _lightgbm_names(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        for line in file:
            if line.startswith(_NAMES_KEY):
                return tuple(line.removeprefix(_NAMES_KEY).decode("utf-8", "replace").split())
            if line.startswith(b"Tree="):
                break
    return ()


def _xgboost_names(path: Path) -> tuple[str, ...]:
    """Of XGBoost's JSON; its binary form (.ubj) is left to the library."""
    try:
        names = json.loads(path.read_bytes())["learner"]["feature_names"]
        return tuple(map(str, names))
    except (ValueError, KeyError, TypeError):
        return ()
