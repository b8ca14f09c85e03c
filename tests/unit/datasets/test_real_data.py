"""The real sets: their published counts, and the published quality of LightGBM on MQ2008."""

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from harness.datasets import letor, table
from harness.ndcg import ndcg
from harness.ranking_data import RankingData, Splits
from harness.records import NdcgSpec


@pytest.fixture(scope="module")
def mq2008(shared_data: Path, tmp_path_factory) -> Splits:
    parts = [shared_data / "letor-mq2008" / f"S{part}.txt.gz" for part in range(1, 6)]
    options = letor.Options(train=parts[:3], valid=parts[3], test=parts[4])
    return letor.load(options, tmp_path_factory.mktemp("cache"))


def test_mq2008_fold_1_has_its_published_counts(mq2008):
    splits = (mq2008.train, mq2008.valid, mq2008.test)
    assert [(s.n_rows, s.n_groups, s.n_features) for s in splits] == [(9630, 471, 46), (2707, 157, 46), (2874, 156, 46)]
    assert np.bincount(np.concatenate([s.grades for s in splits])).tolist() == [12_279, 2_001, 931]
    sizes = np.concatenate([s.group_sizes for s in splits])
    assert (sizes.min(), sizes.max()) == (5, 121)
    assert sum(empty_groups(s) for s in splits) == 220
    features = np.concatenate([s.features for s in splits])
    assert [column + 1 for column in range(46) if np.ptp(features[:, column]) == 0] == [6, 7, 8, 9, 10, 43]
    assert (features.min(), features.max()) == (0, 1)
    assert 0.46 < (features == 0).mean() < 0.48


def empty_groups(split: RankingData) -> int:
    return int((np.maximum.reduceat(split.grades, split.offsets[:-1]) == 0).sum())


def test_mq2008_fold_1_gives_the_published_ndcg(mq2008):
    """Protocol of catboost/benchmarks, ranking: groups without a positive count 1, best iteration on the test split."""
    train, test, spec = mq2008.train, mq2008.test, NdcgSpec(k=10, empty="one")
    params = {"objective": "lambdarank", "learning_rate": 0.05, "num_leaves": 16, "min_data_in_leaf": 20}
    params |= {"verbose": -1, "seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1}
    booster = lgb.train(params, lgb.Dataset(train.features, train.grades, group=train.group_sizes), 200)
    by_iteration = [
        float(ndcg(booster.predict(test.features, num_iteration=n, num_threads=1), test, spec).mean())
        for n in range(5, 201, 5)
    ]
    assert max(by_iteration) == pytest.approx(0.8227, abs=0.01)


def test_yandex_letor_has_its_published_counts(shared_data):
    folder = shared_data / "yandex-letor"
    options = table.Options(
        train=folder / "features.txt.gz",
        test=folder / "featuresTest.txt.gz",
        valid=folder / "features.txt.gz",
        header=False,
        quoting=False,
        query=0,
        grade=1,
        ignore=[2, 3],
        grade_bins=[0.07, 0.14, 0.41, 0.61],
    )
    splits = table.load(options, Path())
    assert (splits.train.n_rows, splits.train.n_groups, splits.train.n_features) == (12_465, 666, 50)
    assert (splits.test.n_rows, splits.test.n_groups, splits.test.n_features) == (46_596, 2_668, 50)
    assert np.bincount(splits.train.grades).tolist() == [6_599, 2_303, 3_311, 196, 56]
    assert np.bincount(splits.test.grades).tolist() == [24_562, 8_658, 12_487, 701, 188]
    assert (splits.test.group_sizes.min(), splits.test.group_sizes.max()) == (1, 63)
    assert not np.isnan(splits.train.features).any()
    assert sum(np.ptp(splits.train.features, axis=0) == 0) == 8


def test_lightgbms_own_example_with_query_files(shared_data, tmp_path):
    folder = shared_data / "lightgbm-lambdarank"
    options = letor.Options(
        train=folder / "rank.train.gz",
        valid=folder / "rank.test.gz",
        test=folder / "rank.test.gz",
        train_groups=folder / "rank.train.query.gz",
        valid_groups=folder / "rank.test.query.gz",
        test_groups=folder / "rank.test.query.gz",
        first_index=0,
    )
    splits = letor.load(options, tmp_path)
    assert (splits.train.n_rows, splits.train.n_groups, splits.train.n_features) == (3_005, 201, 301)
    assert (splits.test.n_rows, splits.test.n_groups, splits.test.n_features) == (768, 50, 301)
    assert splits.train.grades.max() == 4
    assert splits.train.features[0, [9, 10, 11]].tolist() == [0, np.float32(0.89), np.float32(0.75)]
