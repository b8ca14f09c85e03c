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
    """What does not fit together; empty for a sound model."""
    transform = model.transform
    if not model.layers:
        return "no layers"
    if transform.scale.ndim != 1 or transform.shift.shape != transform.scale.shape or transform.missing.ndim != 1:
        return "scale, shift and missing must be vectors"
    if (
        transform.missing.dtype != np.int64
        or ((transform.missing < 0) | (transform.missing >= transform.n_features)).any()
    ):
        return "missing must name features"
    width = transform.n_inputs
    for i, layer in enumerate(model.layers):
        n_out = layer.bias.size
        quantised = layer.scale is not None
        if layer.weight.shape != (n_out, width) or layer.bias.shape != (n_out,):
            return f"layer {i} has weights of shape {layer.weight.shape} for {width} inputs, bias {layer.bias.shape}"
        if layer.weight.dtype != (np.int8 if quantised else np.float32):
            return f"layer {i} has weights of type {layer.weight.dtype}"
        if layer.scale is not None and (layer.scale.shape != (n_out, 1) or not (layer.scale > 0).all()):
            return f"layer {i} needs one scale above 0 per output"
        width = n_out
    if width != 1 or model.layers[-1].scale is not None:
        return "the last layer must be one fp32 unit"
    floats = [
        transform.scale,
        transform.shift,
        *(a for layer in model.layers for a in (layer.bias, layer.scale) if a is not None),
    ]
    if any(array.dtype != np.float32 for array in floats):
        return "scales, shifts and biases must be float32"
    if not all(np.isfinite(array).all() for array in [*floats, *(layer.weight for layer in model.layers)]):
        return "a value is not finite"
    return ""


def _broken(path: Path, what: str) -> ModelError:
    return ModelError(f"not a sound network file: {what}", where=str(path), remedy="train the model again")
