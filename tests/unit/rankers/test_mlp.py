"""mlp: the bundle it makes, its losses, its options."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from harness.mlp import artefacts
from harness.ndcg import ndcg
from harness.rankers.mlp import Options
from harness.records import NdcgSpec
from harness.scoring import score


@pytest.mark.parametrize("loss", ["listwise", "lambda"])
def test_bundle_of_either_loss(train_bundle, splits, loss):
    bundle = train_bundle("mlp", loss=loss, hidden=[32, 16], epochs=15, learning_rate=0.005)
    manifest = bundle.manifest
    assert manifest.format == "mlp"
    assert list(manifest.files) == ["model.npz"]
    assert manifest.size.n_parameters == 14 * 32 + 32 + 32 * 16 + 16 + 16 + 1
    assert manifest.meta["loss"] == loss
    assert manifest.meta["hidden"] == [32, 16]
    assert 1 <= manifest.meta["best_epoch"] <= manifest.meta["epochs"] <= 15

    valid = ndcg(score(bundle, splits.valid.features), splits.valid, NdcgSpec())
    assert np.nanmean(valid) == pytest.approx(manifest.meta["valid_ndcg"], abs=1e-6)
    constant = ndcg(np.zeros(splits.valid.n_rows), splits.valid, NdcgSpec())
    assert np.nanmean(valid) > np.nanmean(constant) + 0.15


def test_no_hidden_layer_is_a_linear_ranker(train_bundle):
    bundle = train_bundle("mlp", hidden=[], epochs=1)
    assert bundle.manifest.size.n_parameters == 15
    assert artefacts.load(bundle).hidden == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": [0]},
        {"hidden": [10**6]},
        {"loss": "mse"},
        {"epochs": 0},
        {"dropout": 1.0},
        {"seed": -1},
        {"layers": 2},
    ],
)
def test_options_are_bounded(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Options(**wrong)
