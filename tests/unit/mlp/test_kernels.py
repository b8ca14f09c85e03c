"""Sparse layers: the same scores as dense ones, a smaller file, counted without their zeros."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.mlp import kernels
from harness.mlp.model import MlpModel
from harness.mlp.model_file import load, save
from harness.mlp.scorer import MlpScorer


@pytest.fixture
def sparse(random_model):
    model = random_model(128, 64)
    rng = np.random.default_rng(1)
    layers = []
    for layer in model.layers[:-1]:
        weight = np.where(rng.random(layer.weight.shape) < 0.95, np.float32(0), layer.weight)
        layers.append(replace(layer, weight=weight))
    return MlpModel(model.transform, (*layers, model.layers[-1]))


def test_a_sparse_layer_gives_what_the_dense_one_does(sparse, candidates, tmp_path):
    expected = candidates[:, :1] * 0
    scorer = MlpScorer(sparse)
    assert "2 of 2 hidden layers sparse" in scorer.info["kernels"]
    values = scorer._transform(candidates)
    for layer in sparse.layers[:-1]:
        values = kernels.relu(layer)(values)
    expected = kernels.linear(sparse.layers[-1])(values).numpy()[:, 0]
    np.testing.assert_allclose(scorer.score(candidates), expected, rtol=1e-5, atol=1e-5)
    for n in (0, 1):
        assert np.allclose(scorer.score(candidates[:n]), expected[:n], rtol=1e-5, atol=1e-5)


def test_its_file_has_no_zeros(sparse, tmp_path):
    save(tmp_path / "model.npz", sparse)
    back = load(tmp_path / "model.npz")
    for ours, theirs in zip(back.layers, sparse.layers, strict=True):
        assert np.array_equal(ours.weight, theirs.weight)
    n_weights = sum(np.count_nonzero(layer.weight) for layer in sparse.layers)
    assert sparse.size.n_parameters == n_weights + 128 + 64 + 1
    save(
        tmp_path / "dense.npz",
        MlpModel(sparse.transform, tuple(replace(x, weight=x.weight + 1) for x in sparse.layers)),
    )
    assert (tmp_path / "model.npz").stat().st_size < 0.35 * (tmp_path / "dense.npz").stat().st_size
