"""A network as the arrays that model.h declares: units in another order, weights quad by quad, and how far sums go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engines.bytenet.arithmetic import (
    BYTE_MAX,
    biases,
    inputs_of,
    multipliers,
    output_of,
)
from harness.engines.bytenet.runs import GROUP, QUAD, REMEDY, Integers, runs_of
from harness.errors import EngineError
from harness.mlp.model import MlpModel

LAYER = np.dtype([("n_groups", "i4"), ("n_quads", "i4"), ("zero", "i4")])

_CHUNK = 16
_SUM_MAX = 2**31 - 1


@dataclass(frozen=True)
class Packed:
    """The arrays and numbers of `struct model`; runs: lengths (n_runs,) in groups of four products."""

    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    missing: NDArray[np.int32]
    layers: NDArray[np.void]
    weights: NDArray[np.int8]
    runs: NDArray[np.int32]
    biases: NDArray[np.int32]
    multipliers: NDArray[np.float32]
    output: NDArray[np.int32]
    n_features: int
    input_zero: int
    missing_byte: int
    input_least: float
    input_most: float
    base: float
    unit: float

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of them, by their names in `struct model`."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    @property
    def most_groups(self) -> int:
        """Groups of four activations of the widest layer."""
        return int(max(self.layers["n_groups"].max(), self.layers["n_quads"].max()))


def pack(model: MlpModel, partial_bits: int, where: str) -> Packed:
    """Lay a network with grids out for a kernel whose partial sums have so many bits.

    Units of a layer stand by the size of their weights, so that those of a quad, which share their runs, are alike.
    EngineError names the layer whose sums don't fit.
    """
    places, n_places, most = _inputs(model)
    parts: list[tuple[NDArray[np.int8], NDArray[np.int32], Integers, NDArray[np.float32]]] = []
    layers = np.zeros(len(model.layers) - 1, dtype=LAYER)
    for number, layer in enumerate(model.layers[:-1]):
        order = np.argsort(np.abs(layer.weight.astype(np.int64)).sum(axis=1), kind="stable")
        n_out = _up(order.size, QUAD)
        weights = np.zeros((n_out, n_places), dtype=np.int8)
        weights[: order.size, places] = layer.weight[order]
        quads = weights.reshape(n_out // QUAD, QUAD, n_places // GROUP, GROUP).transpose(0, 2, 1, 3)
        where_here = f"{where}, layer {number}"
        runs = runs_of(quads, most.reshape(-1, GROUP), partial_bits=partial_bits, where=where_here)
        bias = _padded(biases(model, number)[order], n_out)
        _check_sums(weights, most, bias, where_here)
        multiplier = _padded(multipliers(model, number)[order], n_out)
        parts.append((runs.stream, runs.lengths, bias + runs.taken_off.ravel(), multiplier))
        layers[number] = (n_places // GROUP, n_out // QUAD, model.grids[number + 1].zero)
        places = np.argsort(order, kind="stable")
        n_places, most = n_out, np.full(n_out, BYTE_MAX, dtype=np.int64)
    inputs, output, spec = inputs_of(model), output_of(model), model.transform
    output_weights = np.zeros(n_places, dtype=np.int32)
    output_weights[places] = output.weights
    weight_parts, run_parts, bias_parts, multiplier_parts = (np.concatenate(part) for part in zip(*parts, strict=True))
    n_padded = _up(spec.n_features, _CHUNK)
    return Packed(
        scale=_padded(inputs.scale, n_padded),
        shift=_padded(inputs.shift, n_padded),
        missing=spec.missing.astype(np.int32),
        layers=layers,
        weights=weight_parts,
        runs=run_parts,
        biases=bias_parts.astype(np.int32),
        multipliers=multiplier_parts,
        output=output_weights,
        n_features=spec.n_features,
        input_zero=inputs.zero,
        missing_byte=inputs.missing,
        input_least=float(inputs.least),
        input_most=float(inputs.most),
        base=output.base,
        unit=output.unit,
    )


def _inputs(model: MlpModel) -> tuple[Integers, int, Integers]:
    """Where each input stands, how many places there are, and the largest byte of each place."""
    spec = model.transform
    padded = _up(spec.n_features, _CHUNK)
    places = np.concatenate([np.arange(spec.n_features), padded + np.arange(spec.missing.size)])
    n_places = padded + _up(spec.missing.size, GROUP)
    return places, n_places, np.full(n_places, BYTE_MAX, dtype=np.int64)


def _check_sums(weights: NDArray[np.int8], most: Integers, bias: Integers, where: str) -> None:
    furthest = 2 * np.abs(weights.astype(np.int64)) @ most + np.abs(bias)  # twice, for what the starts of runs take off
    if furthest.max(initial=0) > _SUM_MAX:
        unit = int(np.argmax(furthest))
        raise EngineError(f"the sum of unit {unit} can be more than 32 bits hold", where=where, remedy=REMEDY)


def _padded(values: NDArray[Any], n: int) -> NDArray[Any]:
    return np.concatenate([values, np.zeros(n - values.size, dtype=values.dtype)])


def _up(n: int, step: int) -> int:
    return -(-n // step) * step
