"""The ONNX graph of a network against torch and against integers added up by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.mlp.calibration import activation_ranges, grids_over
from harness.mlp.scorer import MlpScorer
from harness.mlp.transform import Transformer
from harness.ranking_data import RankingData

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def run(content, x):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0][:, 0]


def data_of(x, group_sizes):
    names = tuple(f"f{i}" for i in range(x.shape[1]))
    return RankingData("calibration", x, np.ones(len(x), np.int32), np.array(group_sizes, np.int64), names)


@pytest.mark.parametrize("hidden", [(), (16,), (64, 32, 8)])
def test_fp32_is_the_network(random_model, candidates, hidden):
    from harness.mlp.onnx_graph import graph_of

    model = random_model(*hidden)
    expected = MlpScorer(model).score(candidates)
    found = run(graph_of(model), candidates)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max(), rtol=0)


def by_hand(model, ranges, bits, x):
    """Scores of the network in whole numbers, each rounded as the graph declares it."""
    peak = 2 ** (bits - 1) - 1
    values = Transformer(model.transform)(x).numpy()
    for layer, (low, high) in zip(model.layers, ranges, strict=True):
        scale = np.float32((high - low) / 255)
        zero = np.rint(-low / scale)
        values = (np.clip(np.rint(values / scale) + zero, 0, 255) - zero) * scale
        if layer is model.layers[-1]:
            return values @ layer.weight[0] + layer.bias[0]
        own = (np.abs(layer.weight).max(axis=1) / peak).astype(np.float32)
        weight = np.rint(layer.weight / own[:, None]) * own[:, None]
        values = np.maximum(values.astype(np.float64) @ weight.T + layer.bias, 0)
    return values


@pytest.mark.parametrize("hidden", [(16,), (64, 32)])
def test_int8_is_the_network_between_its_ranges_with_rounded_numbers(random_model, candidates, hidden):
    from harness.mlp.onnx_graph import graph_of

    model = random_model(*hidden)
    ranges = activation_ranges(model, data_of(candidates, [300]))
    found = run(graph_of(model.on_grids(grids_over(ranges), weight_bits=7)), candidates)
    spread = np.abs(found).max()
    assert np.abs(found - by_hand(model, ranges, 7, candidates)).max() < 0.01 * spread
    assert 1e-4 * spread < np.abs(found - MlpScorer(model).score(candidates)).max() < 0.1 * spread


def test_ranges_hold_zero_and_are_those_of_whole_groups(random_model, candidates):
    model = random_model(16, 8)
    ranges = activation_ranges(model, data_of(candidates, [100, 200]))
    assert len(ranges) == 3
    assert all(low <= 0 <= high for low, high in ranges)
    assert ranges[0][0] >= -8
    values = Transformer(model.transform)(candidates).numpy()
    assert ranges[0] == (pytest.approx(values.min()), pytest.approx(values.max()))
    long = np.resize(candidates, (17_000, candidates.shape[1]))
    long[10_000:] *= 100
    assert activation_ranges(model, data_of(long, [10_000, 7_000])) == activation_ranges(
        model, data_of(long[:10_000], [10_000])
    ), "a group that does not fit is left out whole"
