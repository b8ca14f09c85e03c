"""What the made-up feed promises: shares, kinds, groups, repeatability, and room between weak and strong rankers."""

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from harness.datasets import synthetic_feed
from harness.ndcg import ndcg
from harness.ranking_data import RankingData, Splits
from harness.records import NdcgSpec


def make(**options) -> Splits:
    return synthetic_feed.load(synthetic_feed.Options(**options), Path())


@pytest.fixture(scope="module")
def small() -> Splits:
    return make(train_groups=500, valid_groups=100, test_groups=300)


def test_the_default_is_about_120_000_rows_of_136_features():
    splits = make()
    n_rows = sum(split.n_rows for split in (splits.train, splits.valid, splits.test))
    assert 115_000 < n_rows < 125_000
    assert splits.train.n_features == 136


def test_grades_hold_their_shares(small):
    for split in (small.train, small.test):
        shares = np.bincount(split.grades, minlength=5) / split.n_rows
        np.testing.assert_allclose(shares, [0.52, 0.32, 0.13, 0.02, 0.01], atol=0.02)


def test_list_sizes_are_log_normal(small):
    logs = np.log(small.train.group_sizes)
    assert abs(logs.std() - 0.6) < 0.06
    assert abs(((logs - logs.mean()) ** 3).mean() / logs.std() ** 3) < 0.4
    assert abs(small.train.group_sizes.mean() - 40) < 4


def constant_per_query(split: RankingData) -> np.ndarray:
    starts = split.features[np.repeat(split.offsets[:-1], split.group_sizes)]
    same = (split.features == starts) | (np.isnan(split.features) & np.isnan(starts))
    return same.all(axis=0)


def test_a_tenth_of_the_features_is_constant_per_query(small):
    named = [name.startswith("query_") for name in small.train.feature_names]
    assert constant_per_query(small.train).tolist() == named
    assert sum(named) == 14


def test_features_are_of_the_kinds_they_are_named_for(small):
    split = small.train
    seen = set()
    for name, column in zip(split.feature_names, split.features.T, strict=True):
        kind = name.split("_")[-2]
        seen.add(kind)
        missing = np.isnan(column).mean()
        assert (0.02 < missing < 0.4) if kind == "gap" else missing == 0, name
        if name.startswith("query_"):
            continue
        if kind == "heavy":
            assert column.max() > 20 * np.median(column) > 0, name
        elif kind == "sparse":
            assert (column == 0).mean() > 0.4, name
            assert column.max() > 2, name
        elif kind == "count":
            assert (column == np.round(column)).all(), name
            assert np.unique(column).size < 60, name
        elif kind == "binary":
            assert set(np.unique(column)) == {0, 1}, name
        elif kind == "unit":
            assert 0 <= column.min() < 0.1 < 0.9 < column.max() <= 1, name
    assert seen == {"heavy", "sparse", "count", "binary", "unit", "gap"}


def test_low_values_go_missing_first(small):
    """The first views hold the same signals as later ones, so a missing value can be looked up there."""
    split = small.train
    gaps = [i for i, name in enumerate(split.feature_names[:24]) if name.startswith("gap")]
    assert gaps
    for column in gaps:
        twin = column + 24
        missing = np.isnan(split.features[:, column])
        kind = split.feature_names[twin].split("_")[0]
        if kind != "gap":
            assert split.features[missing, twin].mean() < split.features[~missing, twin].mean()


def test_seeds_fix_the_data():
    sizes = {"train_groups": 30, "valid_groups": 30, "test_groups": 30}
    first = make(**sizes)
    assert make(**sizes).digest == first.digest
    assert make(**sizes, seed=2).digest != first.digest
    assert make(**sizes, world_seed=2).digest != first.digest
    assert len({split.digest for split in (first.train, first.valid, first.test)}) == 3
    assert make(**sizes | {"train_groups": 40}).test.digest == first.test.digest


@pytest.mark.parametrize("n_features", [10, 40, 700])
def test_any_width(n_features):
    split = make(train_groups=20, valid_groups=20, test_groups=20, n_features=n_features).train
    assert split.n_features == len(set(split.feature_names)) == n_features


def test_a_feed_of_pairs():
    splits = make(train_groups=50, valid_groups=50, test_groups=50, mean_list_size=2)
    assert splits.train.group_sizes.min() == 1


def ridge_scores(train: RankingData, test: RankingData) -> np.ndarray:
    """Ridge regression on the grades, given the help a careful user would: logs, standardised, means for missing."""

    def logs(x):
        return np.sign(x) * np.log1p(np.abs(x))

    known = logs(train.features.astype(np.float64))
    mean, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0) + 1e-9
    x, y = np.nan_to_num((known - mean) / spread), train.grades - train.grades.mean()
    weights = np.linalg.solve(x.T @ x + 100 * np.eye(x.shape[1]), x.T @ y)
    return np.nan_to_num((logs(test.features.astype(np.float64)) - mean) / spread) @ weights


@pytest.mark.slow
def test_each_stronger_ranker_is_clearly_better():
    splits = make(train_groups=600, valid_groups=1, test_groups=600)
    train, test, spec = splits.train, splits.test, NdcgSpec()
    matrix = lgb.Dataset(train.features, train.grades, group=train.group_sizes, params={"max_bin": 63})
    quality = {"ridge": ndcg(ridge_scores(train, test), test, spec)}
    for n_trees, n_leaves in ((10, 4), (50, 16), (200, 64)):
        params = {"objective": "lambdarank", "num_leaves": n_leaves, "learning_rate": 0.1, "num_threads": 1}
        booster = lgb.train(params | {"verbose": -1, "seed": 1, "deterministic": True}, matrix, n_trees)
        quality[f"{n_trees} x {n_leaves}"] = ndcg(booster.predict(test.features, num_threads=1), test, spec)
    half = ndcg(booster.predict(test.features, num_iteration=100, num_threads=1), test, spec)
    for weak, strong in zip(list(quality), list(quality)[1:], strict=False):
        gap = quality[strong] - quality[weak]
        gap = gap[~np.isnan(gap)]
        error = gap.std(ddof=1) / np.sqrt(gap.size)
        assert gap.mean() > 3 * error, f"{weak} -> {strong}: {gap.mean():.4f} +- {error:.4f}"
    assert np.nanmean(quality["200 x 64"]) > np.nanmean(half), "the teacher's last trees are of use"
