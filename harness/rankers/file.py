"""Your own trained model: LightGBM, XGBoost, Treelite, packed, TorchScript or ONNX file.

It is copied into a bundle after checks: it can be read, gives one score per candidate, and takes as many features as
the data has. A model of trees needs no `data`: candidates are then made up between its thresholds, quality is not
measured, and only `truncate` (without `max_drop`) and `quantise` may compress it. Trees can be compressed by every tree
method; a network of TorchScript or ONNX is served as it is, or taught to a smaller one by `distil_mlp`.

Nothing is unpickled. TorchScript is a program of its author, which loading runs: give only a file that you trust.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.bundle import Draft
from harness.errors import ModelError
from harness.protocols import PluginOptions, Training
from harness.rankers._foreign_network import import_onnx, import_torchscript
from harness.rankers._foreign_trees import import_trees

_NETWORKS: dict[str, Callable[[Path, Training], Draft]] = {"torchscript": import_torchscript, "onnx": import_onnx}
_NETWORK_SUFFIXES = {".pt": "torchscript", ".pth": "torchscript", ".ts": "torchscript", ".onnx": "onnx"}


class Options(PluginOptions):
    """Which file, and what wrote it."""

    path: Path = Field(description="the model file, relative to the working directory")
    format: Literal["auto", "lightgbm", "xgboost", "treelite", "packed", "torchscript", "onnx"] = Field(
        default="auto",
        description="what wrote the file; auto goes by its suffix, then by its first bytes"
        " (TorchScript runs code of the file: give only one you trust)",
    )


def train(options: Options, work: Training) -> Draft:
    """Copy the model in after checking that it can be read, is a scalar ranker, and is as wide as the data."""
    from harness.trees.formats.foreign import require_file

    path = options.path.expanduser().resolve()
    require_file(path)
    kind = format_of(path) if options.format == "auto" else options.format
    work.progress(f"file: reading {path.name} as {kind}")
    if kind in _NETWORKS:
        return _NETWORKS[kind](path, work)
    return import_trees(path, kind, work)


def format_of(path: Path) -> str:
    """What wrote a model file, by its suffix, then by its first bytes; ModelError where neither tells."""
    from harness.trees.formats.foreign import tree_format_of

    kind = _NETWORK_SUFFIXES.get(path.suffix.lower()) or tree_format_of(path)
    if kind is None:
        raise ModelError(
            "can't tell what wrote this file",
            where=str(path),
            remedy="set `format` to lightgbm, xgboost, treelite, packed, torchscript or onnx",
        )
    return kind
