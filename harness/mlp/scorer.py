"""Scores of a network in process: dense or sparse float32, or int8 kernels."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.mlp import kernels
from harness.mlp.model import Layer, MlpModel
from harness.mlp.model_file import load
from harness.mlp.transform import Transformer
from harness.ranking_data import Features


class MlpScorer:
    """A loaded network. Sets torch's number of threads, which holds for the whole process.

    In int8 without grids, activations are quantised at run time to the range they have over the candidate list, so a
    candidate's score moves by a rounding error with the company it is scored in. Activations keep 7 bits: on CPUs
    without VNNI the kernels would overflow on 8.
    """

    info: Mapping[str, Any]

    def __init__(self, model: MlpModel, *, n_threads: int = 1) -> None:
        torch.set_num_threads(n_threads)
        self._transform = Transformer(model.transform)
        self._steps = _steps(model)
        self._output = kernels.linear(model.layers[-1])
        self.info = {
            "library": f"torch {torch.__version__}",
            "threads": n_threads,
            "precision": model.precision,
            "kernels": _names(model),
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


def _steps(model: MlpModel) -> list[kernels.Step]:
    hidden = model.layers[:-1]
    if model.grids:
        return [kernels.hidden_on_grids(hidden, model.grids)]
    return [_kernel(layer)(layer) for layer in hidden]


def _kernel(layer: Layer) -> Callable[[Layer], kernels.Step]:
    if layer.scale is not None:
        return kernels.relu_dynamic
    return kernels.relu_sparse if layer.is_sparse else kernels.relu


def _names(model: MlpModel) -> str:
    if model.precision == "int8":
        return str(torch.backends.quantized.engine)
    n_sparse = sum(layer.is_sparse for layer in model.layers[:-1])
    return f"addmm, {n_sparse} of {len(model.hidden)} hidden layers sparse" if n_sparse else "addmm"
