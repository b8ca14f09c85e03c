"""The network as arrays, and its file `model.npz` (plain arrays, nothing pickled)."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.mlp.transform import InputTransform
from harness.records import ModelSize

_INT8_MAX = 127


@dataclass(frozen=True)
class Layer:
    """x @ weight.T + bias, weight (n_out, n_in) float32, or int8 to be multiplied by `scale` (n_out, 1) float32."""

    weight: NDArray[Any]
    bias: NDArray[np.float32]
    scale: NDArray[np.float32] | None = None

    def quantised(self) -> Layer:
        """Weights rounded to int8, symmetric, one scale per output channel."""
        peak = np.abs(self.weight).max(axis=1, keepdims=True)
        scale = (np.where(peak > 0, peak, 1) / _INT8_MAX).astype(np.float32)
        weight = np.rint(self.weight / scale).clip(-_INT8_MAX, _INT8_MAX).astype(np.int8)
        return Layer(weight, self.bias, scale)


@dataclass(frozen=True)
class MlpModel:
    """Input transform, hidden layers with ReLU, and an output layer of one unit."""

    transform: InputTransform
    layers: tuple[Layer, ...]

    @property
    def precision(self) -> str:
        """`int8` where hidden layers are quantised, else `fp32`."""
        return "int8" if self.layers[0].scale is not None else "fp32"

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return tuple(layer.bias.size for layer in self.layers[:-1])

    @property
    def size(self) -> ModelSize:
        """Weights and biases; bytes on disk are known once the bundle is sealed."""
        return ModelSize(n_parameters=sum(layer.weight.size + layer.bias.size for layer in self.layers))

    def quantised(self) -> MlpModel:
        """Hidden layers in int8; the output layer stays fp32, for it is tiny and its error would go into each score."""
        return MlpModel(self.transform, (*(layer.quantised() for layer in self.layers[:-1]), self.layers[-1]))


def save(path: Path, model: MlpModel) -> None:
    """Write a model; equal models give equal bytes."""
    arrays: dict[str, Any] = {
        "scale": model.transform.scale,
        "shift": model.transform.shift,
        "missing": model.transform.missing,
    }
    for i, layer in enumerate(model.layers):
        arrays |= {f"weight_{i}": layer.weight, f"bias_{i}": layer.bias}
        if layer.scale is not None:
            arrays[f"weight_scale_{i}"] = layer.scale
    np.savez(path, **arrays)


def load(path: Path) -> MlpModel:
    """Read a model; ModelError where the file is not one, is damaged, or its shapes do not fit together."""
    arrays = _read(path)
    try:
        transform = InputTransform(arrays.pop("scale"), arrays.pop("shift"), arrays.pop("missing"))
        layers: list[Layer] = []
        while arrays:
            i = len(layers)
            scale = arrays.pop(f"weight_scale_{i}", None)
            layers.append(Layer(arrays.pop(f"weight_{i}"), arrays.pop(f"bias_{i}"), scale))
    except KeyError as error:
        raise _broken(path, f"has no array {error.args[0]}") from error
    model = MlpModel(transform, tuple(layers))
    fault = _fault(model)
    if fault:
        raise _broken(path, fault)
    return model


def _read(path: Path) -> dict[str, NDArray[Any]]:
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
    return ""


def _broken(path: Path, what: str) -> ModelError:
    return ModelError(f"not a sound network file: {what}", where=str(path), remedy="train the model again")
