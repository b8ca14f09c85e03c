"""The lightgbm ranker: both of its files score alike, seeds hold, it learns, it refuses what it can't learn."""

from __future__ import annotations

from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from harness.errors import ModelError
from harness.events import Count
from harness.ndcg import ndcg
from harness.protocols import Training
from harness.rankers import lightgbm as ranker
from harness.ranking_data import RankingData, Splits
from harness.records import NdcgSpec
from harness.trees.artefacts import load
from harness.trees.traverse import predict

SMALL = {"n_trees": 8, "n_leaves": 6, "min_rows_per_leaf": 5}


def test_both_files_score_alike(train_bundle, splits):
    bundle = train_bundle("lightgbm", **SMALL)
    x = splits.test.features
    booster = lightgbm.Booster(model_file=str(bundle.file("model.txt")))
    assert np.array_equal(booster.predict(x, raw_score=True, num_threads=1), predict(load(bundle), x))
    assert bundle.manifest.source == "lightgbm"
    assert load(bundle).has_cover


def test_it_learns(train_bundle, splits):
    scores = predict(load(train_bundle("lightgbm", **SMALL)), splits.test.features)
    by_chance = np.random.default_rng(0).normal(size=splits.test.n_rows)
    learnt, chance = (np.nanmean(ndcg(s, splits.test, NdcgSpec())) for s in (scores, by_chance))
    assert learnt > chance + 0.2


def test_number_of_threads_changes_nothing_and_the_seed_does(train_bundle):
    one = train_bundle("lightgbm", feature_share=0.5, **SMALL)
    two = train_bundle("lightgbm", feature_share=0.5, n_threads=2, **SMALL)
    other = train_bundle("lightgbm", feature_share=0.5, seed=2, **SMALL)
    assert one.manifest.digest == two.manifest.digest != other.manifest.digest


def test_early_stopping_keeps_the_best_number_of_trees(train_bundle, splits):
    shape = {"n_leaves": 31, "learning_rate": 0.5, "min_rows_per_leaf": 2}
    stopped = train_bundle("lightgbm", n_trees=60, early_stopping_rounds=4, **shape)
    n_trees = stopped.manifest.size.n_trees
    assert n_trees < 60
    as_many = train_bundle("lightgbm", n_trees=n_trees, **shape)
    assert stopped.manifest.digest == as_many.manifest.digest


def test_a_grade_out_of_range_is_an_error_that_names_the_row(train_bundle, splits):
    grades = splits.train.grades.copy()
    grades[7] = 31
    data = Splits(replace(splits.train, grades=grades), splits.valid, splits.test)
    with pytest.raises(ModelError, match=r"grade 31 in row 7.*up to 30"):
        train_bundle("lightgbm", data=data, **SMALL)


def test_a_query_group_that_lightgbm_finds_too_long(train_bundle, splits):
    n_rows = 10_001
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_rows, 2)).astype(np.float32)
    grades = rng.integers(0, 3, n_rows).astype(np.int32)
    long = RankingData("train", x, grades, np.array([n_rows]), ("a", "b"))
    with pytest.raises(ModelError, match=r"LightGBM: .*10000") as caught:
        train_bundle("lightgbm", data=Splits(long, long, long), **SMALL)
    assert "'train'" in caught.value.where


def test_progress_is_sparse(splits, tmp_path):
    told = []
    options = ranker.Options(n_trees=120, n_leaves=2, min_rows_per_leaf=5)
    ranker.train(options, Training(splits, tmp_path, 1, NdcgSpec(), told.append))
    assert told == [Count("lightgbm: trees", done, 120) for done in (50, 100, 120)]
