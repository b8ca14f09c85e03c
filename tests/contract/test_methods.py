"""Every method that the registry finds, on every kind of teacher that it does not refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made_trees import leaf, sealed, stump

from harness import registry
from harness.bundle import open_bundle, seal
from harness.errors import ModelError
from harness.protocols import Compression
from harness.records import NdcgSpec
from harness.scoring import score
from harness.trees.artefacts import load
from harness.trees.forest import Forest
from harness.trees.traverse import predict

TEACHERS = ("lightgbm", "xgboost", "mlp")
SMALL: dict[str, dict[str, object]] = {
    "truncate": {"keep": 0.5},
    "prune_leaves": {"keep": 0.5},
    "prune_trees": {"keep": 0.5},
    "prune_levels": {"keep": 0.5},
    "prune_features": {"keep": 0.5},
    "early_exit": {"sentinels": [5], "margin": 0.1},
    "distil_gbdt": {"n_trees": 5, "n_leaves": 4, "min_rows_per_leaf": 5},
    "distil_mlp": {"hidden": [4], "epochs": 1},
    "prune_weights": {"sparsity": 0.9, "epochs": 1, "synthetic_share": 0.0},
    "prune_neurons": {"keep": 0.5, "epochs": 1, "steps": 1, "synthetic_share": 0.0},
}


@pytest.fixture(params=registry.names("methods"))
def kind(request):
    return request.param


@pytest.fixture
def method(kind):
    return registry.method(kind)


@pytest.fixture
def options(kind, method):
    return method.Options(**SMALL.get(kind, {}))


@pytest.fixture(params=TEACHERS)
def before(request, teacher, method, options):
    bundle = teacher(request.param)
    reason = method.refuses(options, bundle.manifest)
    if reason:
        assert isinstance(reason, str)
        pytest.skip(reason)
    return bundle


@pytest.fixture
def compress(before, splits, tmp_path):
    def build(name, method, options):
        out = tmp_path / name
        out.mkdir()
        work = Compression(before, before, splits, out, 1, NdcgSpec(), lambda _: None)
        return seal(out, method.apply(options, work), origin={}, parents=(before.manifest.digest,))

    return build


def test_result_is_a_smaller_bundle_that_scores(method, options, before, compress, splits):
    after = open_bundle(compress("a", method, options).path)
    assert after.manifest.n_features == before.manifest.n_features
    assert after.manifest.feature_names == before.manifest.feature_names
    old, new = before.manifest.size, after.manifest.size
    assert (
        new.disk_bytes <= old.disk_bytes
        or new.n_parameters <= old.n_parameters
        or new.packed_bits_per_node <= old.packed_bits_per_node
    )
    scores = score(after, splits.test.features)
    assert scores.shape == (splits.test.n_rows,)
    assert np.isfinite(scores).all()
    with_missing = splits.test.features.copy()
    with_missing[::2] = np.nan
    assert np.isfinite(score(after, with_missing)).all()


def test_trees_stay_readable_for_the_library_they_are_from(kind, method, options, before, compress, splits):
    if before.manifest.format != "trees" or kind.startswith("distil"):
        return
    after = compress("a", method, options)
    assert after.manifest.source == before.manifest.source
    native = registry.engine("native")
    scorer = native.open(native.Options(), after, after.path)
    x = splits.test.features
    assert scorer.score(x) == pytest.approx(predict(load(after), x), abs=1e-6)


def test_applied_twice_it_gives_the_same_bundle(method, options, compress):
    assert compress("a", method, options).manifest.digest == compress("b", method, options).manifest.digest


def test_control_is_a_step_that_can_be_taken(method, options, before, compress, splits):
    after = compress("a", method, options)
    spec = method.control(options, before.manifest, after.manifest)
    if spec is None:
        return
    rival = registry.method(spec["kind"])
    rival_options = rival.Options(**{key: value for key, value in spec.items() if key != "kind"})
    assert rival.refuses(rival_options, before.manifest) == ""
    bundle = compress("control", rival, rival_options)
    assert np.isfinite(score(bundle, splits.test.features)).all()
    assert rival.control(rival_options, before.manifest, bundle.manifest) is None, "a control has no control"


def test_some_format_is_refused_or_all_are_welcome(kind, method, options, teacher):
    reasons = {name: method.refuses(options, teacher(name).manifest) for name in TEACHERS}
    foreign = teacher("lightgbm").manifest.model_copy(update={"format": "torchscript"})
    reasons["torchscript"] = method.refuses(options, foreign)
    assert any(reason == "" for reason in reasons.values()), "a method that refuses everything"
    assert all(reason.strip() for reason in reasons.values() if reason)
    if not kind.startswith("distil"):
        assert reasons["torchscript"], "only distillation works from scores alone"


@pytest.mark.parametrize("tree", [stump(0, 0.25, -1.0, 1.0), leaf(0.5)], ids=["one-split", "one-leaf"])
def test_a_teacher_of_one_tree_is_worked_on_or_refused(kind, method, options, tree, splits, tmp_path):
    only = sealed(Forest((tree,), splits.train.n_features), tmp_path / "teacher")
    if reason := method.refuses(options, only.manifest):
        assert reason.strip()
        return
    out = tmp_path / "out"
    out.mkdir()
    work = Compression(only, only, splits, out, 1, NdcgSpec(), lambda _: None)
    try:
        after = seal(out, method.apply(options, work), origin={})
    except ModelError:
        return
    assert np.isfinite(score(after, splits.test.features)).all()


def test_summary_and_descriptions(kind):
    assert 0 < len(registry.summary("methods", kind)) < 120
    for name, field in registry.options_model("methods", kind).model_fields.items():
        assert field.description, name
