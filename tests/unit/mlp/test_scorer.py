"""Scores of both kernels against numpy, on lists of any length."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from harness.mlp.model_file import save
from harness.mlp.scorer import MlpScorer, open_scorer
from harness.mlp.transform import Transformer


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def by_hand(model, x):
    values = Transformer(model.transform)(x).numpy().astype(np.float64)
    for layer in model.layers[:-1]:
        values = np.maximum(values @ layer.weight.T + layer.bias, 0)
    return (values @ model.layers[-1].weight.T + model.layers[-1].bias)[:, 0]


@pytest.mark.parametrize("hidden", [(), (16,), (64, 32, 8)])
def test_fp32_matches_numpy(random_model, candidates, hidden):
    model = random_model(*hidden)
    scores = MlpScorer(model).score(candidates)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, by_hand(model, candidates), rtol=1e-4, atol=1e-5)


def test_int8_ranks_like_fp32(random_model, candidates):
    model = random_model(64, 32)
    fp32, int8 = (MlpScorer(m).score(candidates) for m in (model, model.quantised()))
    assert not np.array_equal(fp32, int8)
    assert spearmanr(fp32, int8).statistic > 0.99
    assert np.abs(fp32 - int8).max() < 0.1 * np.ptp(fp32)


def test_int8_uses_the_int8_weights(random_model, candidates):
    """The rounding of activations is unbiased, so what is left on average is the rounding of the weights."""
    model = random_model(64).quantised()
    layer = model.layers[0]
    widened = type(model)(model.transform, (type(layer)(layer.weight * layer.scale, layer.bias), model.layers[1]))
    difference = MlpScorer(model).score(candidates) - by_hand(widened, candidates)
    assert abs(difference.mean()) < 0.01


@pytest.mark.parametrize("quantise", [False, True])
def test_one_row_and_no_rows(random_model, candidates, quantise):
    model = random_model(16)
    scorer = MlpScorer(model.quantised() if quantise else model)
    whole = scorer.score(candidates)
    assert scorer.score(candidates[:0]).shape == (0,)
    assert scorer.score(candidates[:1]).shape == (1,)
    np.testing.assert_allclose(scorer.score(candidates[:1]), whole[:1], atol=0.1 if quantise else 1e-5)


@pytest.mark.parametrize("quantise", [False, True])
def test_odd_values_give_finite_scores(random_model, quantise):
    model = random_model(16)
    scorer = MlpScorer(model.quantised() if quantise else model)
    for value in (np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, 1e-45):
        assert np.isfinite(scorer.score(np.full((3, 7), value, dtype=np.float32))).all()


def test_a_read_only_request_is_scored_and_kept(random_model, candidates):
    x = np.frombuffer(candidates.tobytes(), dtype=np.float32).reshape(candidates.shape)
    assert np.isfinite(MlpScorer(random_model(4)).score(x)).all()
    assert np.array_equal(x, candidates, equal_nan=True)


def test_info_says_how_it_was_set_up(random_model, tmp_path):
    save(tmp_path / "model.npz", random_model(4).quantised())
    info = open_scorer(tmp_path / "model.npz", n_threads=2).info
    assert torch.get_num_threads() == 2
    assert info["threads"] == 2
    assert info["precision"] == "int8"
    assert info["loaded_bytes"] == 9 * 4 + 4 * 4 + 4 * 4 + 4
    assert info["load_s"] >= 0
