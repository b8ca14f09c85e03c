"""What the kernel computes, in numpy: the same whole numbers, bit for bit.

Inputs become bytes through single float32 operations in one order (`inputs.h`); everything behind them is integers, but
for the product that takes a sum to the next grid. Sums do not depend on their order, so neither do scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.mlp.model import MlpModel, bias_unit, whole_bias
from harness.mlp.transform import CLIP
from harness.ranking_data import Features

Integers = NDArray[np.int64]

BYTE_MAX = 255
LOG_TERMS = np.array(
    [0.06971612, -0.11479734, 0.1168542, -0.12425687, 0.14249058, -0.16667803, 0.20000716, -0.24999997, 0.3333333],
    dtype=np.float32,
)
"""Of log(1 + f) = f - f^2 / 2 + f^3 * polynomial for f in [sqrt(1/2) - 1, sqrt(2) - 1], the highest power first:
the polynomial of degree 8 through the Chebyshev nodes."""

_SQRT_HALF, _LOG_2 = np.int32(0x3F3504F3), np.float32(0.693147181)
_SUMS_MAX = 2**31 - 1


@dataclass(frozen=True)
class Output:
    """The output layer: score = base + unit * sum of weights (n_in,) times bytes, a sum that fits in 32 bits."""

    weights: NDArray[np.int32]
    base: float
    unit: float


def output_of(model: MlpModel) -> Output:
    """The output layer in whole numbers, fine enough to move no score by more than float32 does."""
    layer, grid = model.layers[-1], model.grids[-1]
    weights = layer.weight[0].astype(np.float64) * float(grid.scale)
    unit = float(np.abs(weights).sum()) * BYTE_MAX / (_SUMS_MAX - BYTE_MAX * weights.size) or 1.0
    whole = np.rint(weights / unit).astype(np.int32)
    return Output(whole, float(layer.bias[0]) - unit * int(grid.zero) * float(whole.sum(dtype=np.int64)), unit)


def multipliers(model: MlpModel, place: int) -> NDArray[np.float32]:
    """Bytes of the next grid per unit of each of the layer's sums, (n_out,)."""
    return bias_unit(model.layers[place], model.grids[place]) / model.grids[place + 1].scale


def biases(model: MlpModel, place: int) -> Integers:
    """What a hidden layer adds to the products of bytes and weights, (n_out,): the inputs' zero is taken off."""
    layer, grid = model.layers[place], model.grids[place]
    taken_off: Integers = int(grid.zero) * layer.weight.sum(axis=1, dtype=np.int64)
    return whole_bias(layer, grid) - taken_off


@dataclass(frozen=True)
class Inputs:
    """From the logarithms of features to bytes: scale and shift (n_features,), and the ends, all counted from `zero`;
    missing: the byte of an indicator that is 1."""

    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    least: np.float32
    most: np.float32
    zero: int
    missing: int


def inputs_of(model: MlpModel) -> Inputs:
    """The input transform and the first grid in one."""
    spec, grid = model.transform, model.grids[0]
    inverse, zero = np.float32(1) / grid.scale, int(grid.zero)
    clip = np.float32(CLIP) * inverse
    least, most = max(-clip, np.float32(-zero)), min(clip, np.float32(BYTE_MAX - zero))
    missing = int(np.rint(min(inverse, most))) + zero
    return Inputs(spec.scale * inverse, spec.shift * inverse, least, most, zero, missing)


def input_bytes(model: MlpModel, x: Features) -> NDArray[np.uint8]:
    """Features (n, n_features) and indicators of missing ones on the first grid, (n, n_inputs)."""
    spec = inputs_of(model)
    with np.errstate(invalid="ignore"):
        values = signed_log(x) * spec.scale + spec.shift
    values = np.where(np.isnan(values), np.float32(0), values).clip(spec.least, spec.most)
    present = (np.rint(values).astype(np.int32) + spec.zero).astype(np.uint8)
    missing = np.where(np.isnan(x[:, model.transform.missing]), spec.missing, spec.zero).astype(np.uint8)
    return np.hstack([present, missing])


def signed_log(x: Features) -> Features:
    """sign(x) * log(1 + |x|) in float32; NaN and infinities stay."""
    one, size = np.float32(1), np.abs(x)
    total = size + one
    exponent = (total.view(np.int32) - _SQRT_HALF) >> 23
    rest = (total.view(np.int32) - (exponent << 23)).view(np.float32)
    share = np.where(exponent < 64, (127 - exponent) << 23, 0).astype(np.int32).view(np.float32)
    with np.errstate(invalid="ignore"):  # infinities, which are put right below
        f = (rest - one) + (size - (total - one)) * share
    square, polynomial = f * f, np.full_like(f, LOG_TERMS[0])
    for term in LOG_TERMS[1:]:
        polynomial = polynomial * f + term
    log = exponent.astype(np.float32) * _LOG_2 + ((f - square * np.float32(0.5)) + square * f * polynomial)
    return np.copysign(np.where(size <= np.finfo(np.float32).max, log, size), x)


def scores(model: MlpModel, x: Features) -> NDArray[np.float32]:
    """Scores (n,) of x (n, n_features) float32, NaN for missing, by a network with grids."""
    values = input_bytes(model, x).astype(np.float64)  # holds all integers up to 2^53, and BLAS multiplies it
    for place, layer in enumerate(model.layers[:-1]):
        sums = (values @ layer.weight.T.astype(np.float64)).astype(np.int64) + biases(model, place)
        zero = int(model.grids[place + 1].zero)
        scaled = np.maximum(sums, 0).astype(np.float32) * multipliers(model, place)
        values = np.rint(np.minimum(scaled, np.float32(BYTE_MAX - zero))).astype(np.float64) + zero
    output = output_of(model)
    return (output.base + output.unit * (values @ output.weights.astype(np.float64))).astype(np.float32)
