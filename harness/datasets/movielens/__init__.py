"""MovieLens ratings as a recommendation feed: candidate groups per user, features from the past only.

A user's ratings are taken in order of time. After the first `history` of them, every `positives` ratings in a row make
one query group: they are its candidates, beside `negatives` movies that the user never rated, drawn by their popularity
at that time. Each feature is made of what all users had rated and tagged before the group began. A candidate's grade is
3 for five stars, 2 from 4, 1 from 3 stars on; 0 below, and for what was not rated. Groups are split by time: the last
ones are test, those before them valid. F. M. Harper and J. A. Konstan, "The MovieLens Datasets", TiiS 2015.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field, model_validator

from harness.cache import Cache, key_of
from harness.datasets._paths import fingerprint
from harness.errors import DataError
from harness.protocols import PluginOptions
from harness.ranking_data import RankingData, Splits


class Options(PluginOptions):
    """The folder as GroupLens packs it, and how groups are made of it."""

    folder: Path = Field(description="holds ratings.csv and movies.csv, and tags.csv where there is one, or .csv.gz")
    positives: int = Field(default=5, ge=1, le=100, description="rated movies per query group")
    negatives: int = Field(default=35, ge=1, le=10_000, description="movies not rated by the user, per query group")
    history: int = Field(default=10, ge=1, description="ratings of a user before the first group")
    groups_per_user: int = Field(default=20, ge=1, description="at most; evenly spaced over the user's ratings")
    valid_share: float = Field(default=0.15, gt=0, lt=1, description="share of groups in valid")
    test_share: float = Field(default=0.25, gt=0, lt=1, description="share of groups in test, the latest")
    seed: int = Field(default=1, ge=0, description="seed of the negatives")

    @model_validator(mode="after")
    def _leaves_a_train_split(self) -> Options:
        if self.valid_share + self.test_share >= 1:
            raise ValueError("valid_share and test_share leave nothing to train on")
        return self


def load(options: Options, cache_dir: Path) -> Splits:
    """Make the three splits, once; the same options give the same data. Raises DataError naming file, column, row."""
    from harness.datasets.movielens.files import paths_of, read_folder
    from harness.datasets.movielens.groups import groups_of
    from harness.datasets.movielens.store import LAYOUT, keep, reopen

    folder = options.folder.expanduser()
    made_with = options.model_dump(include={"positives", "negatives", "history", "groups_per_user", "seed"})
    key = key_of({"layout": LAYOUT, "inputs": [fingerprint(path) for path in paths_of(folder)], "made_with": made_with})

    def build(directory: Path) -> None:
        keep(groups_of(read_folder(folder), options), directory)

    data, _ = Cache(cache_dir).obtain("movielens", key, build, reopen)
    return _split(data, options)


def _split(data: RankingData, options: Options) -> Splits:
    n_test, n_valid = (max(1, round(share * data.n_groups)) for share in (options.test_share, options.valid_share))
    n_train = data.n_groups - n_valid - n_test
    if n_train < 1:
        raise DataError(
            f"{data.n_groups} query groups can't be split into train, valid and test",
            where=str(options.folder),
            remedy="lower data.history or data.positives, or give more ratings",
        )
    bounds = np.cumsum([0, n_train, n_valid, n_test])
    splits = {
        name: replace(data.take_groups(np.arange(bounds[i], bounds[i + 1])), name=name)
        for i, name in enumerate(("train", "valid", "test"))
    }
    return Splits(**splits).checked()
