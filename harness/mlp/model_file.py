"""The file of a network, `model.npz`: plain arrays, nothing pickled; sparse layers as compressed rows (CSR)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.mlp.model import Grid, Layer, MlpModel
from harness.mlp.transform import InputTransform

Arrays = dict[str, NDArray[Any]]


def save(path: Path, model: MlpModel) -> None:
    """Write a model; equal models give equal bytes."""
    arrays: Arrays = {
        "scale": model.transform.scale,
        "shift": model.transform.shift,
        "missing": model.transform.missing,
    }
    if model.grids:
        arrays["activation_scale"] = np.array([grid.scale for grid in model.grids], dtype=np.float32)
        arrays["activation_zero"] = np.array([grid.zero for grid in model.grids], dtype=np.uint8)
    for i, layer in enumerate(model.layers):
        arrays |= _rows(i, layer.weight) if layer.is_sparse else {f"weight_{i}": layer.weight}
        arrays[f"bias_{i}"] = layer.bias
        if layer.scale is not None:
            arrays[f"weight_scale_{i}"] = layer.scale
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> MlpModel:
    """Read a model; ModelError where the file is not one, is damaged, or its shapes do not fit together."""
    arrays = _read(path)
    try:
        transform = InputTransform(arrays.pop("scale"), arrays.pop("shift"), arrays.pop("missing"))
        grids = _grids(arrays)
        layers: list[Layer] = []
        n_in = transform.scale.size + transform.missing.size
        while arrays:
            i = len(layers)
            scale, bias = arrays.pop(f"weight_scale_{i}", None), arrays.pop(f"bias_{i}")
            layers.append(Layer(_weight(arrays, i, (bias.size, n_in)), bias, scale))
            n_in = bias.size
    except KeyError as error:
        raise _broken(path, f"has no array {error.args[0]}") from error
    except (IndexError, TypeError, ValueError) as error:
        raise _broken(path, str(error)) from error
    model = MlpModel(transform, tuple(layers), grids)
    fault = _fault(model)
    if fault:
        raise _broken(path, fault)
    return model


def _rows(i: int, weight: NDArray[np.float32]) -> Arrays:
    """The non-zero weights of a layer row by row, the column of each, and how many there are per row."""
    row, column = np.nonzero(weight)
    narrow = np.min_scalar_type(weight.shape[1])
    counts = np.bincount(row, minlength=weight.shape[0]).astype(np.int32)
    return {f"nonzero_{i}": weight[row, column], f"column_{i}": column.astype(narrow), f"count_{i}": counts}


def _weight(arrays: Arrays, i: int, shape: tuple[int, int]) -> NDArray[Any]:
    if f"nonzero_{i}" not in arrays:
        return arrays.pop(f"weight_{i}")
    values, column, counts = (arrays.pop(f"{name}_{i}") for name in ("nonzero", "column", "count"))
    weight = np.zeros(shape, dtype=values.dtype)
    weight[np.repeat(np.arange(shape[0]), counts), column] = values
    return weight


def _grids(arrays: Arrays) -> tuple[Grid, ...]:
    if "activation_scale" not in arrays:
        return ()
    scale, zero = arrays.pop("activation_scale"), arrays.pop("activation_zero")
    if scale.dtype != np.float32 or zero.dtype != np.uint8 or not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError("activation_scale and activation_zero are not positive float32 and uint8")
    return tuple(Grid(*pair) for pair in zip(scale, zero, strict=True))


def _read(path: Path) -> Arrays:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # all checksums, before any content is believed
        if damaged:
            raise _broken(path, f"{damaged} does not match its checksum")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise _broken(path, str(error) or "it ends too early") from error


def _fault(model: MlpModel) -> str:
    """What is of the wrong type or shape, or not finite; empty for a sound model."""
    transform, width = model.transform, model.transform.n_inputs
    n_features, n_missing = transform.scale.size, transform.missing.size
    expected: list[tuple[str, NDArray[Any], type[Any], tuple[int, ...]]] = [
        ("scale", transform.scale, np.float32, (n_features,)),
        ("shift", transform.shift, np.float32, (n_features,)),
        ("missing", transform.missing, np.int64, (n_missing,)),
    ]
    for i, layer in enumerate(model.layers):
        n_out = layer.bias.size
        number = np.float32 if layer.scale is None else np.int8
        expected.append((f"weight_{i}", layer.weight, number, (n_out, width)))
        expected.append((f"bias_{i}", layer.bias, np.float32, (n_out,)))
        if layer.scale is not None:
            expected.append((f"weight_scale_{i}", layer.scale, np.float32, (n_out, 1)))
        width = n_out
    for name, array, dtype, shape in expected:
        if array.dtype != dtype or array.shape != shape:
            return f"{name} is {array.dtype} {array.shape} where {np.dtype(dtype)} {shape} belongs"
        if not np.isfinite(array).all():
            return f"{name} has a value that is not finite"
    if ((transform.missing < 0) | (transform.missing >= n_features)).any():
        return "missing names a feature that is not there"
    if not model.layers or width != 1 or model.layers[-1].scale is not None:
        return "the last layer is not one fp32 unit"
    if model.grids and (len(model.grids) != len(model.layers) or model.precision != "int8"):
        return "its activation scales do not belong to the inputs of int8 layers"
    return ""


def _broken(path: Path, what: str) -> ModelError:
    return ModelError(f"not a sound network file: {what}", where=str(path), remedy="train the model again")
