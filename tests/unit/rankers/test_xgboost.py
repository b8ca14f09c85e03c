"""The xgboost ranker: Treelite's trees give XGBoost's own margin, seeds hold, it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xgboost

from harness.errors import ModelError
from harness.ndcg import ndcg
from harness.ranking_data import Splits
from harness.records import NdcgSpec
from harness.trees.artefacts import load
from harness.trees.traverse import predict

SMALL = {"n_trees": 8, "max_depth": 3}


def test_trees_give_the_margin(train_bundle, splits):
    bundle = train_bundle("xgboost", **SMALL)
    x = splits.test.features
    booster = xgboost.Booster(model_file=str(bundle.file("model.json")))
    margin = booster.predict(xgboost.DMatrix(x), output_margin=True)
    assert np.array_equal(margin, predict(load(bundle), x).astype(np.float32))
    assert bundle.manifest.source == "xgboost"


def test_it_learns(train_bundle, splits):
    scores = predict(load(train_bundle("xgboost", **SMALL)), splits.test.features)
    by_chance = np.random.default_rng(0).normal(size=splits.test.n_rows)
    learnt, chance = (np.nanmean(ndcg(s, splits.test, NdcgSpec())) for s in (scores, by_chance))
    assert learnt > chance + 0.2


def test_number_of_threads_changes_nothing_and_the_seed_does(train_bundle):
    one = train_bundle("xgboost", feature_share=0.5, **SMALL)
    two = train_bundle("xgboost", feature_share=0.5, n_threads=2, **SMALL)
    other = train_bundle("xgboost", feature_share=0.5, seed=2, **SMALL)
    assert one.manifest.digest == two.manifest.digest != other.manifest.digest


def test_early_stopping_ends_at_the_best_round(train_bundle):
    stopped = train_bundle("xgboost", n_trees=80, max_depth=6, learning_rate=0.5, early_stopping_rounds=4)
    n_trees = stopped.manifest.size.n_trees
    assert n_trees < 80
    booster = xgboost.Booster(model_file=str(stopped.file("model.json")))
    assert booster.num_boosted_rounds() == n_trees


def test_infinite_features_are_an_error_in_xgboosts_words(train_bundle, splits):
    x = splits.train.features.copy()
    x[0, 0] = np.inf
    data = Splits(replace(splits.train, features=x), splits.valid, splits.test)
    with pytest.raises(ModelError, match=r"XGBoost: .*inf"):
        train_bundle("xgboost", data=data, **SMALL)
