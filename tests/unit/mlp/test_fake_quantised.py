"""Quantisation-aware training: what it trains is what the int8 kernels compute, and it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.mlp.calibration import activation_ranges, grids_over
from harness.mlp.fake_quantised import FakeQuantised
from harness.mlp.model_file import load, save
from harness.mlp.scorer import MlpScorer
from harness.mlp.transform import Transformer
from harness.ranking_data import RankingData


@pytest.fixture
def network(random_model, candidates):
    model = random_model(64, 32)
    names = tuple("abcdefg")
    data = RankingData("c", candidates, np.ones(300, np.int32), np.array([300]), names)
    return model, FakeQuantised.on_grids(model, grids_over(activation_ranges(model, data)))


def scores_in_training(network, model, x):
    with torch.inference_mode():
        return network(Transformer(model.transform)(x))[0].numpy()


def same_but_for_flips(found, expected):
    """Equal, but where a sum lies so near to half a step that two orders of adding round it to two sides."""
    difference = np.abs(found - expected) / np.abs(expected).max()
    assert (difference < 1e-5).mean() > 0.97
    assert difference.max() < 0.03


def test_the_exported_model_scores_as_in_training(network, candidates, tmp_path):
    model, network = network
    with torch.no_grad():
        network.log_scale.mul_(1.05)  # as if learned
    save(tmp_path / "model.npz", network.exported(model.transform))
    back = load(tmp_path / "model.npz")
    assert back.grids == network.grids()
    expected = scores_in_training(network, model, candidates)
    same_but_for_flips(MlpScorer(back).score(candidates), expected)
    assert np.abs(expected - MlpScorer(model).score(candidates)).max() > 1e-3, "rounding is there at all"

    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from harness.mlp.onnx_graph import graph_of

    session = onnxruntime.InferenceSession(graph_of(back), providers=["CPUExecutionProvider"])
    same_but_for_flips(session.run(None, {"x": candidates})[0][:, 0], expected)


def test_gradients_reach_weights_and_scales(network, candidates):
    model, network = network
    network(Transformer(model.transform)(candidates))[0].square().mean().backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


def test_a_value_beyond_the_grid_pulls_its_scale_up(network, candidates):
    """More range where values are cut off, finer steps where they are not: the gradient of a learned step size."""
    model, network = network
    inputs = Transformer(model.transform)(candidates)
    for factor, sign in ((0.3, -1), (30.0, 1)):
        network.zero_grad()
        with torch.no_grad():
            network.log_scale[0] = np.log(float(network.grids()[0].scale)) + np.log(factor)
        (network._on_grid(inputs, 0) - inputs).square().mean().backward()
        assert np.sign(network.log_scale.grad[0].item()) == sign
