"""Every ranker that the registry finds: what it writes is a sealed bundle that scores, the same one each time."""

from __future__ import annotations

import numpy as np
import pytest

from harness import registry
from harness.bundle import CANONICAL, open_bundle, seal
from harness.protocols import Training
from harness.records import NdcgSpec
from harness.scoring import score

SMALL = {
    "lightgbm": {"n_trees": 6, "n_leaves": 6, "min_rows_per_leaf": 5},
    "xgboost": {"n_trees": 6, "max_depth": 3},
    "mlp": {"hidden": [8], "epochs": 2},
}


@pytest.fixture(params=registry.names("rankers"))
def kind(request):
    return request.param


@pytest.fixture
def options(kind, teacher):
    given = {"path": str(teacher("xgboost").file("model.json"))} if kind == "file" else SMALL.get(kind, {})
    return registry.ranker(kind).Options(**given)


@pytest.fixture
def train(kind, options, splits, tmp_path):
    def build(name):
        out = tmp_path / name
        out.mkdir()
        draft = registry.ranker(kind).train(options, Training(splits, out, 1, NdcgSpec(), lambda _: None))
        return seal(out, draft, origin={"kind": kind})

    return build


def test_bundle_is_whole_and_scores(train, splits):
    bundle = open_bundle(train("a").path)
    manifest = bundle.manifest
    assert manifest.format in CANONICAL
    assert manifest.n_features == splits.train.n_features
    assert manifest.feature_names == splits.train.feature_names
    assert manifest.size.n_parameters > 0
    assert manifest.size.disk_bytes == bundle.artefact.stat().st_size
    assert bool(manifest.size.n_nodes) == (manifest.format == "trees")
    scores = score(bundle, splits.test.features)
    assert scores.shape == (splits.test.n_rows,)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0


def test_training_is_repeatable(train):
    assert train("a").manifest.digest == train("b").manifest.digest


def test_summary_and_descriptions(kind):
    assert 0 < len(registry.summary("rankers", kind)) < 120
    for name, field in registry.options_model("rankers", kind).model_fields.items():
        assert field.description, name
