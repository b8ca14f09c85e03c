"""prune_neurons: it reaches the size or the gate, keeps the order of candidates, and says what can't be done."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness.bundle import Bundle, seal
from harness.compress import distil_mlp, prune_neurons
from harness.errors import ModelError
from harness.protocols import Compression
from harness.records import NdcgSpec
from harness.scoring import score

FAST = {"epochs": 1, "synthetic_share": 0.0, "steps": 1}


@pytest.fixture
def pruned(teacher, splits, tmp_path):
    made = iter(range(100))

    def build(**options: object) -> Bundle:
        out = tmp_path / f"pruned-{next(made)}"
        out.mkdir()
        bundle = teacher("mlp")
        work = Compression(bundle, bundle, splits, out, 1, NdcgSpec(), lambda _: None)
        return seal(out, prune_neurons.apply(prune_neurons.Options(**FAST | options), work), origin={})

    return build


@pytest.mark.parametrize("importance", ["taylor", "norm"])
def test_half_of_the_parameters(teacher, pruned, splits, importance):
    before, after = teacher("mlp"), pruned(keep=0.5, importance=importance, epochs=8, learning_rate=0.005)
    n_before, n_after = before.manifest.size.n_parameters, after.manifest.size.n_parameters
    assert 0.4 * n_before < n_after <= 0.5 * n_before
    assert all(new <= old for new, old in zip(after.manifest.meta["hidden"], [16, 8], strict=True))
    assert len(after.manifest.meta["activation_ranges"]) == 3
    x = splits.test.features
    assert spearmanr(score(before, x), score(after, x)).statistic > 0.7


def test_a_gate_that_nothing_meets_leaves_the_network_as_it_is(teacher, pruned, splits):
    after = pruned(max_drop=0.0, learning_rate=1e-6)
    assert after.manifest.size.n_parameters == teacher("mlp").manifest.size.n_parameters
    assert "not pruned" in after.manifest.meta["notes"][0]
    x = splits.test.features
    assert np.array_equal(score(teacher("mlp"), x), score(after, x))


def test_a_wide_gate_leaves_little(teacher, pruned):
    after = pruned(max_drop=1.0)
    assert after.manifest.size.n_parameters < 0.3 * teacher("mlp").manifest.size.n_parameters
    assert "notes" not in after.manifest.meta


def test_sizes_that_cannot_be_had(pruned):
    for size in (3, 10**6):
        with pytest.raises(ModelError, match="can't be had"):
            pruned(max_parameters=size)


def test_options_and_refusals(teacher):
    for sizes in ({}, {"keep": 0.5, "max_drop": 0.1}):
        with pytest.raises(ValueError, match="exactly one of"):
            prune_neurons.Options(**sizes)
    options, network = prune_neurons.Options(keep=0.5), teacher("mlp").manifest
    assert prune_neurons.refuses(options, network) == ""
    assert "not a network" in prune_neurons.refuses(options, teacher("lightgbm").manifest)
    for meta, why in (
        ({"quantise": {}}, "quantised already"),
        ({"hidden": []}, "no hidden layer"),
        ({"sparsity": 0.9}, "prune_weights behind"),
    ):
        changed = network.model_copy(update={"meta": {**network.meta, **meta}})
        assert why in prune_neurons.refuses(options, changed)


def test_control_has_the_same_widths(teacher, pruned):
    after = pruned(keep=0.5)
    step = prune_neurons.control(prune_neurons.Options(keep=0.5), teacher("mlp").manifest, after.manifest)
    assert step["hidden"] == after.manifest.meta["hidden"]
    assert step["targets"] == "labels"


def test_control_of_a_student_is_taught_by_the_teacher_too(teacher, pruned):
    after, taught = pruned(keep=0.5).manifest, {"targets": "teacher", "hints": "leaves", "outputs": "margins"}
    student = teacher("mlp").manifest.model_copy(update={"meta": {**teacher("mlp").manifest.meta, **taught}})
    step = prune_neurons.control(prune_neurons.Options(keep=0.5), student, after)
    assert step == {"kind": "distil_mlp", **taught, "hidden": after.meta["hidden"], "seed": 1}
    distil_mlp.Options(**{key: value for key, value in step.items() if key != "kind"})
