"""Methods that rebuild trees, on models that split by category: LightGBM's and XGBoost's own files follow."""

from __future__ import annotations

import numpy as np
import pytest

from harness import registry
from harness.bundle import seal
from harness.protocols import Compression
from harness.records import NdcgSpec
from harness.trees import artefacts
from harness.trees.forest import features_read
from harness.trees.formats.treelite_model import from_treelite
from harness.trees.traverse import predict

CATEGORICAL, N_TREES = 3, 12


def lightgbm_model(data, out):
    import lightgbm
    import treelite

    settings = {"objective": "lambdarank", "num_leaves": 12, "min_data_per_group": 5, "cat_smooth": 1, "verbosity": -1}
    train = lightgbm.Dataset(data.features, data.grades, group=data.group_sizes, categorical_feature=[CATEGORICAL])
    booster = lightgbm.train({**settings, "num_threads": 1}, train, N_TREES)
    forest = from_treelite(treelite.frontend.from_lightgbm(booster))
    return artefacts.save(forest, out, data.feature_names, lightgbm_objective="lambdarank")


def xgboost_model(data, out):
    import treelite
    import xgboost

    kinds = ["c" if index == CATEGORICAL else "q" for index in range(data.n_features)]
    rows = xgboost.DMatrix(data.features, data.grades, feature_types=kinds, enable_categorical=True, nthread=1)
    rows.set_info(group=data.group_sizes)
    booster = xgboost.train({"objective": "rank:ndcg", "max_depth": 4, "nthread": 1}, rows, N_TREES)
    booster.save_model(out / artefacts.XGBOOST_JSON)
    forest = from_treelite(treelite.frontend.from_xgboost(booster))
    artefacts.to_treelite(forest).serialize(str(out / "model.treelite"))
    return artefacts.packed_draft(forest, out, data.feature_names)


@pytest.fixture(scope="module", params=[lightgbm_model, xgboost_model], ids=["lightgbm", "xgboost"])
def bundle(request, splits, tmp_path_factory):
    out = tmp_path_factory.mktemp("categories")
    made = seal(out, request.param(splits.train, out), origin={})
    assert artefacts.load(made).has_categories
    return made


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("truncate", {"keep": 0.5}),
        ("prune_trees", {"keep": 0.5}),
        ("prune_leaves", {"keep": 0.5}),
        ("prune_levels", {"keep": 0.5}),
        ("prune_features", {"max_features": 4}),
        ("refit_leaves", {}),
        ("quantise", {"leaves": "int8"}),
    ],
)
def test_splits_by_category_live_through_a_method(kind, options, bundle, splits, tmp_path):
    method = registry.method(kind)
    work = Compression(bundle, bundle, splits, tmp_path, 1, NdcgSpec(), lambda _: None)
    after = seal(tmp_path, method.apply(method.Options(**options), work), origin={})
    before, forest = artefacts.load(bundle), artefacts.load(after)
    assert forest.has_categories
    assert all(tree.categories(node).size for tree in forest.trees for node in np.flatnonzero(tree.is_categorical))
    x = splits.test.features[:800].copy()
    x[::3, CATEGORICAL] = np.resize([np.nan, 40, 70_000, -3], x[::3].shape[0])
    own = registry.engine("native")
    assert own.open(own.Options(), after, tmp_path).score(x) == pytest.approx(predict(forest, x), abs=1e-5)
    likeness = np.corrcoef(predict(before, splits.test.features), predict(forest, splits.test.features))[0, 1]
    assert likeness > 0.8
    if kind == "prune_features":
        assert CATEGORICAL in features_read(forest)


def test_the_feature_that_is_split_by_category_can_go(bundle, splits):
    from harness.trees.pruning.fewer_features import FeatureRemoval

    forest = FeatureRemoval(artefacts.load(bundle), splits.train.features).without({CATEGORICAL})
    assert not forest.has_categories
    assert CATEGORICAL not in features_read(forest)
