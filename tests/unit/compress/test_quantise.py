"""quantise: what changes and by how much, for trees and for networks; what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness import registry
from harness.bundle import Bundle, seal
from harness.compress import quantise
from harness.errors import ModelError
from harness.protocols import Training
from harness.records import NdcgSpec
from harness.scoring import score
from harness.trees import artefacts
from harness.trees.formats import packed
from harness.trees.formats.packed.leaves import narrowed


@pytest.fixture
def quantised(stepped):
    def build(bundle: Bundle, **options: object) -> Bundle:
        return stepped(quantise, bundle, **options)

    return build


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_thresholds_alone_are_lossless(teacher, quantised, kind):
    before, after = teacher(kind), quantised(teacher(kind))
    assert after.manifest.meta["quantise"] == {"thresholds": True, "leaves": "none", "refit": False}
    assert artefacts.load(after).n_nodes == artefacts.load(before).n_nodes
    for old, new in zip(artefacts.load(before).trees, artefacts.load(after).trees, strict=True):
        assert np.array_equal(np.sort(old.value), np.sort(new.value))
        assert np.array_equal(np.sort(old.threshold), np.sort(new.threshold))
    assert after.manifest.size.packed_bytes == before.manifest.size.packed_bytes


def test_scores_stay_bit_for_bit_without_rounded_leaves(teacher, quantised, splits):
    x = splits.test.features
    assert np.array_equal(score(teacher("lightgbm"), x), score(quantised(teacher("lightgbm")), x))


def test_lightgbm_text_is_kept(teacher, quantised):
    assert quantised(teacher("lightgbm"), leaves="int8").manifest.source == "lightgbm"


@pytest.mark.parametrize(("leaves", "bits"), [("fp16", 16), ("int8", 8), ("int4", 4)])
@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_rounded_leaves(teacher, quantised, splits, kind, leaves, bits):
    before, after = teacher(kind), quantised(teacher(kind), leaves=leaves)
    trees = list(zip(artefacts.load(before).trees, artefacts.load(after).trees, strict=True))
    bound = 0.0
    for old, new in trees:
        old_leaves, new_leaves = (t.value[np.concatenate(t.levels())] for t in (old, new))
        own = old.value[old.is_leaf]
        step = {
            "fp16": np.abs(old_leaves) * 2**-10,
            "int8": np.abs(own).max() / 127,
            "int4": (own.max() - own.min()) / 15,
        }[leaves]
        error = np.abs(old_leaves - new_leaves)
        assert (error <= 0.51 * step + 1e-7).all()
        bound += error.max()
        assert len(np.unique(new.value[new.is_leaf])) <= 2**bits
    x = splits.test.features
    difference = np.abs(score(before, x) - score(after, x))
    assert 0 < difference.max() <= bound + 1e-5
    assert after.manifest.size.packed_bytes < before.manifest.size.packed_bytes


@pytest.mark.parametrize("leaves", ["fp16", "int8", "int4"])
@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_the_packed_file_holds_the_very_leaves_of_the_checkpoint(teacher, quantised, kind, leaves):
    bundle = quantised(teacher(kind), leaves=leaves)
    for other, packed_tree in zip(
        artefacts.load(bundle).trees, packed.load(bundle.file("model.packed")).trees, strict=True
    ):
        assert np.array_equal(other.value[np.concatenate(other.levels())], packed_tree.value)


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_a_refit_brings_int4_scores_nearer(teacher, quantised, splits, kind):
    exact = score(teacher(kind), splits.test.features)
    plain, refit = (quantised(teacher(kind), leaves="int4", refit=wanted) for wanted in (False, True))
    off = [np.sqrt(np.mean((score(bundle, splits.test.features) - exact) ** 2)) for bundle in (plain, refit)]
    assert off[1] < 0.6 * off[0]
    found = packed.load(refit.file("model.packed"))
    for other, tree in zip(artefacts.load(refit).trees, found.trees, strict=True):
        assert np.array_equal(other.value[np.concatenate(other.levels())], tree.value)


def test_a_refit_without_narrow_leaves_is_refused():
    with pytest.raises(ValueError, match="refit needs leaves"):
        quantise.Options(leaves="fp16", refit=True)


def test_values_out_of_range_of_fp16_are_an_error():
    with pytest.raises(ModelError, match="out of the range of fp16") as caught:
        narrowed(np.array([1.0, 1e9]), "fp16")
    assert "int8" in caught.value.remedy


@pytest.mark.parametrize("leaves", ["int8", "int4"])
def test_a_tree_of_zeros_stays(leaves):
    assert not narrowed(np.zeros(5), leaves).values.any()


def test_network(teacher, quantised, splits):
    before, after = teacher("mlp"), quantised(teacher("mlp"))
    assert after.manifest.meta["quantise"] == {"weights": "int8", "activations": "dynamic"}
    assert after.manifest.meta["loss"] == before.manifest.meta["loss"], "carried on"
    assert "valid_ndcg" not in after.manifest.meta, "was measured with other weights"
    assert after.manifest.size.n_parameters == before.manifest.size.n_parameters
    x = splits.test.features
    assert spearmanr(score(before, x), score(after, x)).statistic > 0.98


def test_network_shrinks(splits, quantised, tmp_path):
    plugin = registry.ranker("mlp")
    (tmp_path / "wide").mkdir()
    work = Training(splits, tmp_path / "wide", 1, NdcgSpec(), lambda _: None)
    wide = seal(tmp_path / "wide", plugin.train(plugin.Options(epochs=1), work), origin={})
    assert quantised(wide).manifest.size.disk_bytes < 0.3 * wide.manifest.size.disk_bytes


@pytest.mark.parametrize("kind", ["lightgbm", "mlp"])
def test_a_second_time_is_refused(teacher, quantised, kind):
    options = quantise.Options()
    assert quantise.refuses(options, teacher(kind).manifest) == ""
    assert "already" in quantise.refuses(options, quantised(teacher(kind)).manifest)


def test_refusals_say_why(teacher):
    trees, network = teacher("lightgbm").manifest, teacher("mlp").manifest
    off = quantise.Options(thresholds=False)
    assert "both off" in quantise.refuses(off, trees)
    assert quantise.refuses(quantise.Options(thresholds=False, leaves="fp16"), trees) == ""
    assert "no leaves" in quantise.refuses(quantise.Options(leaves="int8"), network)
    linear = network.model_copy(update={"meta": {"hidden": []}})
    assert "no hidden layer" in quantise.refuses(quantise.Options(), linear)
    for name in ("onnx", "torchscript"):
        assert name in quantise.refuses(quantise.Options(), trees.model_copy(update={"format": name}))


def test_nothing_is_cheaper(teacher):
    manifest = teacher("lightgbm").manifest
    assert quantise.control(quantise.Options(), manifest, manifest) is None


FINE = {"epochs": 2, "synthetic_share": 0.0}


@pytest.mark.parametrize("options", [{"activations": "static"}, {"qat": FINE}], ids=["static", "qat"])
def test_static_network_is_served_as_it_was_made(teacher, quantised, splits, tmp_path, options):
    after = quantised(teacher("mlp"), **options)
    assert after.manifest.meta["quantise"]["activations"] == "static"
    x = splits.test.features
    reference = score(after, x)
    assert spearmanr(score(teacher("mlp"), x), reference).statistic > 0.9
    for name, accepts in (("onnxruntime_int8", True), ("onnxruntime", False), ("aotinductor", False)):
        engine = registry.engine(name)
        assert (engine.refuses(engine.Options(), after.manifest) == "") is accepts
    engine = registry.engine("onnxruntime_int8")
    served = engine.open(engine.Options(), after, tmp_path).score(x)
    difference = np.abs(served - reference) / np.abs(reference).max()
    assert (difference < 1e-5).mean() > 0.97, "but where a sum lies next to half a step"
    assert difference.max() < 0.1


def test_training_is_never_worse_on_valid_than_calibration_alone(teacher, quantised):
    meta = quantised(teacher("mlp"), qat=FINE).manifest.meta
    assert meta["valid_ndcg"] >= meta["valid_ndcg_calibrated"]


def test_calibration_is_the_control_of_training(teacher):
    manifest = teacher("mlp").manifest
    assert quantise.control(quantise.Options(qat=True), manifest, manifest) == {
        "kind": "quantise",
        "activations": "static",
    }
    assert quantise.control(quantise.Options(activations="static"), manifest, manifest) is None
    assert "no activations" in quantise.refuses(quantise.Options(qat=True), teacher("lightgbm").manifest)
