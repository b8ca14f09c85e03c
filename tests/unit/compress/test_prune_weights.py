"""prune_weights: the share of zeros, that training keeps them, what the ledger counts, and the gate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness.bundle import Bundle, seal
from harness.compress import prune_weights, quantise
from harness.errors import ModelError
from harness.mlp import artefacts
from harness.protocols import Compression
from harness.records import NdcgSpec
from harness.scoring import reference_scorer, score

FAST = {"epochs": 1, "synthetic_share": 0.0}


@pytest.fixture
def pruned(teacher, splits, tmp_path):
    made = iter(range(100))

    def build(before: Bundle | None = None, method=prune_weights, **options: object) -> Bundle:
        out = tmp_path / f"pruned-{next(made)}"
        out.mkdir()
        bundle = before or teacher("mlp")
        work = Compression(bundle, teacher("mlp"), splits, out, 1, NdcgSpec(), lambda _: None)
        return seal(out, method.apply(method.Options(**options), work), origin={})

    return build


def shares_of_zeros(bundle):
    return [float((layer.weight == 0).mean()) for layer in artefacts.load(bundle).layers]


def test_layers_become_sparse_and_still_rank(teacher, pruned, splits):
    before, after = teacher("mlp"), pruned(**FAST | {"epochs": 6, "learning_rate": 0.02}, sparsity=0.85)
    assert shares_of_zeros(after) == [pytest.approx(0.85, abs=0.01), pytest.approx(0.85, abs=0.01), 0]
    assert "2 of 2 hidden layers sparse" in reference_scorer(after).info["kernels"]
    assert after.manifest.size.n_parameters < 0.3 * before.manifest.size.n_parameters
    assert "native engine alone" in after.manifest.meta["notes"][0]
    x = splits.test.features
    assert spearmanr(score(before, x), score(after, x)).statistic > 0.3


def test_few_zeros_are_stored_and_counted_and_said_to_be_without_speed(teacher, pruned):
    after = pruned(**FAST, sparsity=0.5, layers="first")
    assert shares_of_zeros(after) == [pytest.approx(0.5, abs=0.01), 0, 0]
    assert after.manifest.size.n_parameters == teacher("mlp").manifest.size.n_parameters
    assert "without speed" in after.manifest.meta["notes"][0]


def test_training_for_int8_keeps_the_zeros(pruned):
    sparse = pruned(**FAST, sparsity=0.9)
    int8 = pruned(sparse, quantise, qat=FAST)
    assert shares_of_zeros(int8)[0] >= 0.899
    assert "multiply the zeros" in int8.manifest.meta["notes"][-1]
    assert int8.manifest.meta["sparsity"] == sparse.manifest.meta["sparsity"]


def test_gates(teacher, pruned):
    unchanged = pruned(**FAST | {"learning_rate": 1e-6}, max_drop=0.0)
    assert shares_of_zeros(unchanged) == [0, 0, 0]
    assert "not pruned: 85% zeros lose up to" in unchanged.manifest.meta["notes"][0]
    assert shares_of_zeros(pruned(**FAST, max_drop=1.0))[0] == pytest.approx(0.98, abs=0.01)


def test_options_and_refusals(teacher, pruned):
    for sizes in ({}, {"sparsity": 0.9, "max_drop": 0.1}):
        with pytest.raises(ValueError, match="exactly one of"):
            prune_weights.Options(**sizes)
    options = prune_weights.Options(sparsity=0.9)
    assert "not a network" in prune_weights.refuses(options, teacher("lightgbm").manifest)
    assert "already" in prune_weights.refuses(options, pruned(**FAST, sparsity=0.9).manifest)
    with pytest.raises(ModelError, match="has no network"):
        pruned(teacher("lightgbm"), sparsity=0.9)


def test_control_has_as_many_parameters(teacher, pruned):
    before, after = teacher("mlp").manifest, pruned(**FAST, sparsity=0.9).manifest
    step = prune_weights.control(prune_weights.Options(sparsity=0.9), before, after)
    assert step["targets"] == "labels"
    assert all(new < old for new, old in zip(step["hidden"], before.meta["hidden"], strict=True))
    assert np.isfinite(after.size.n_parameters)
