"""Scores of a network through torch, in fp32 or through its int8 kernels."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.mlp.model import Layer, MlpModel, load
from harness.mlp.transform import Transformer
from harness.ranking_data import Features

Step = Callable[[torch.Tensor], torch.Tensor]


class MlpScorer:
    """A loaded network. Sets torch's number of threads, which holds for the whole process.

    In int8, activations are quantised at run time to the range they have over the candidate list, so a candidate's
    score moves by a rounding error with the company it is scored in. Activations keep 7 bits: on CPUs without VNNI
    the kernels would overflow on 8.
    """

    info: Mapping[str, Any]

    def __init__(self, model: MlpModel, *, n_threads: int = 1) -> None:
        torch.set_num_threads(n_threads)
        self._transform = Transformer(model.transform)
        *hidden, output = model.layers
        self._steps = [_relu_int8(layer) if layer.scale is not None else _relu_fp32(layer) for layer in hidden]
        self._output = _linear_fp32(output)
        self.info = {
            "library": f"torch {torch.__version__}",
            "threads": n_threads,
            "precision": model.precision,
            "kernels": torch.backends.quantized.engine if model.precision == "int8" else "addmm",
            "loaded_bytes": sum(layer.weight.nbytes + layer.bias.nbytes for layer in model.layers),
        }

    def score(self, x: Features) -> NDArray[np.float32]:
        """Scores (n,) float32 of candidates x (n, n_features) float32, NaN for missing; n may be 0."""
        with torch.inference_mode():
            values = self._transform(x)
            for step in self._steps:
                values = step(values)
            scores: NDArray[np.float32] = self._output(values).numpy()[:, 0]
            return scores


def open_scorer(path: Path, *, n_threads: int = 1) -> MlpScorer:
    """Load `model.npz`; ModelError where it is damaged."""
    started = time.perf_counter()
    scorer = MlpScorer(load(path), n_threads=n_threads)
    scorer.info = {**scorer.info, "load_s": round(time.perf_counter() - started, 4)}
    return scorer


def _linear_fp32(layer: Layer) -> Step:
    weight, bias = torch.tensor(layer.weight.T.copy()), torch.tensor(layer.bias)
    return lambda values: torch.addmm(bias, values, weight)


def _relu_fp32(layer: Layer) -> Step:
    linear = _linear_fp32(layer)
    return lambda values: linear(values).relu_()


def _relu_int8(layer: Layer) -> Step:
    assert layer.scale is not None  # noqa: S101  # chosen by the caller
    scales = torch.tensor(layer.scale[:, 0], dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=r"torch\.quantize_per_tensor, torch\.quantize_per_channel", category=UserWarning
        )
        weight = torch.quantize_per_channel(
            torch.tensor(layer.weight * layer.scale),
            scales,
            torch.zeros(scales.numel(), dtype=torch.int64),
            0,
            torch.qint8,
        )
    packed = torch.ops.quantized.linear_prepack(weight, torch.tensor(layer.bias))
    relu = torch.ops.quantized.linear_relu_dynamic
    return lambda values: relu(values, packed, True)  # True: reduced range, 7 bits
