"""The network as arrays: float32, or int8 with activations that are quantised at run time or on fixed grids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.mlp.transform import InputTransform
from harness.records import ModelSize

SPARSE_BELOW = 0.2
"""Share of non-zero weights below which a layer counts as sparse: it is stored and multiplied without its zeros."""

WEIGHT_BITS = 7
"""Bits of weights that are multiplied by activations of 8: CPUs without VNNI add two products in 16 bits."""

_UINT8_MAX = 255


class Grid(NamedTuple):
    """Unsigned bytes in place of activations: (byte - zero) * scale."""

    scale: np.float32
    zero: np.uint8

    @classmethod
    def over(cls, low: float, high: float) -> Grid:
        """The finest grid that holds low..high, where low <= 0 <= high."""
        scale = np.float32((high - low) / _UINT8_MAX or 1.0)
        return cls(scale, np.uint8(np.rint(-low / scale).clip(0, _UINT8_MAX)))


@dataclass(frozen=True)
class Layer:
    """x @ weight.T + bias, weight (n_out, n_in) float32, or int8 to be multiplied by `scale` (n_out, 1) float32."""

    weight: NDArray[Any]
    bias: NDArray[np.float32]
    scale: NDArray[np.float32] | None = None

    @property
    def is_sparse(self) -> bool:
        """Whether so many weights are 0 that the layer is stored and multiplied without them."""
        return self.scale is None and int(np.count_nonzero(self.weight)) < SPARSE_BELOW * self.weight.size

    @property
    def n_parameters(self) -> int:
        """Weights, without the zeros of a sparse layer, and biases."""
        return (int(np.count_nonzero(self.weight)) if self.is_sparse else self.weight.size) + self.bias.size

    def quantised(self, bits: int = 8) -> Layer:
        """Weights rounded to int8, or to fewer `bits`, symmetric, one scale per output channel."""
        most = 2 ** (bits - 1) - 1
        peak = np.abs(self.weight).max(axis=1, keepdims=True)
        scale = (np.where(peak > 0, peak, 1) / most).astype(np.float32)
        weight = np.rint(self.weight / scale).clip(-most, most).astype(np.int8)
        return Layer(weight, self.bias, scale)


@dataclass(frozen=True)
class MlpModel:
    """Input transform, hidden layers with ReLU, and an output layer of one unit.

    `grids`: where activations are fixed unsigned bytes, those of each layer's input, the output layer's last.
    """

    transform: InputTransform
    layers: tuple[Layer, ...]
    grids: tuple[Grid, ...] = ()

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
        return ModelSize(n_parameters=sum(layer.n_parameters for layer in self.layers))

    def quantised(self) -> MlpModel:
        """Hidden layers in int8; the output layer stays fp32, for it is tiny and its error would go into each score."""
        return MlpModel(self.transform, (*(layer.quantised() for layer in self.layers[:-1]), self.layers[-1]))

    def on_grids(self, grids: tuple[Grid, ...], weight_bits: int = WEIGHT_BITS) -> MlpModel:
        """The same with activations on fixed grids, and biases that are whole numbers of the products' unit."""
        layers = tuple(
            _with_whole_bias(layer.quantised(weight_bits), grid)
            for layer, grid in zip(self.layers[:-1], grids, strict=False)
        )
        return MlpModel(self.transform, (*layers, self.layers[-1]), grids)


def whole_bias(layer: Layer, grid: Grid) -> NDArray[np.int32]:
    """Biases of an int8 layer (n_out,) in units of weight scale times activation scale."""
    limit = np.iinfo(np.int32)
    return np.rint(layer.bias.astype(np.float64) / bias_unit(layer, grid)).clip(limit.min, limit.max).astype(np.int32)


def bias_unit(layer: Layer, grid: Grid) -> NDArray[np.float32]:
    """What one unit of an int8 layer's sums is worth, for each output (n_out,)."""
    assert layer.scale is not None  # noqa: S101  # chosen by the caller
    return layer.scale[:, 0] * grid.scale


def _with_whole_bias(layer: Layer, grid: Grid) -> Layer:
    return replace(layer, bias=whole_bias(layer, grid).astype(np.float32) * bias_unit(layer, grid))
