"""The steps of a network on torch's and SciPy's kernels: dense float32, sparse float32, and int8."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from harness.mlp.model import Grid, Layer

Step = Callable[[torch.Tensor], torch.Tensor]


def linear(layer: Layer) -> Step:
    """(n, n_in) -> (n, n_out)."""
    weight, bias = torch.tensor(layer.weight.T.copy()), torch.tensor(layer.bias)
    return lambda values: torch.addmm(bias, values, weight)


def relu(layer: Layer) -> Step:
    """A dense float32 layer."""
    dense = linear(layer)
    return lambda values: dense(values).relu_()


def relu_sparse(layer: Layer) -> Step:
    """A layer without its zeros: compressed rows times candidates that lie beside one another in memory.

    (A sparse first layer, Nardini et al., "Distilled neural networks for efficient learning to rank", TKDE 2022.) Pays
    from about four fifths of zeros; at 95 % it takes a third of the dense layer's time for 100 candidates.
    """
    from scipy.sparse import csr_array

    weight, bias = csr_array(layer.weight), layer.bias[:, None].copy()

    def step(values: torch.Tensor) -> torch.Tensor:
        sums = weight @ np.ascontiguousarray(values.numpy().T)
        sums += bias
        return torch.from_numpy(np.maximum(sums, 0, out=sums)).T

    return step


def relu_dynamic(layer: Layer) -> Step:
    """An int8 layer whose inputs are quantised to the range they have over the candidate list."""
    packed = _packed(layer)
    kernel = torch.ops.quantized.linear_relu_dynamic
    return lambda values: kernel(values, packed, True)  # True: reduced range, 7 bits


def hidden_on_grids(layers: tuple[Layer, ...], grids: tuple[Grid, ...]) -> Step:
    """All hidden layers in int8 on fixed grids, float32 to float32: the arithmetic of the QDQ graph in ONNX."""
    first, *below = ((float(grid.scale), int(grid.zero)) for grid in grids)
    packed = [_packed(layer) for layer in layers]
    kernel = torch.ops.quantized.linear_relu

    def step(values: torch.Tensor) -> torch.Tensor:
        values = torch.quantize_per_tensor(values, *first, torch.quint8)
        for weights, grid in zip(packed, below, strict=True):
            values = kernel(values, weights, *grid)
        return values.dequantize()

    return step


def _packed(layer: Layer) -> torch.Tensor:
    assert layer.scale is not None  # noqa: S101  # chosen by the caller
    scales = torch.tensor(layer.scale[:, 0], dtype=torch.float64)
    zeros = torch.zeros(scales.numel(), dtype=torch.int64)
    with _quietly():
        weight = torch.quantize_per_channel(torch.tensor(layer.weight * layer.scale), scales, zeros, 0, torch.qint8)
    packed: torch.Tensor = torch.ops.quantized.linear_prepack(weight, torch.tensor(layer.bias))
    return packed


@contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=r"torch\.quantize_per_tensor, torch\.quantize_per_channel", category=UserWarning
        )
        yield
