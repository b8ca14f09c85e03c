"""The movielens plug-in: what is in a group, and that nothing in a feature comes from the future."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from harness.datasets import movielens
from harness.datasets.movielens.files import read_folder
from harness.datasets.movielens.groups import groups_of
from harness.errors import DataError

N_USERS, N_MOVIES, N_RATINGS = 6, 30, 18


def write(folder: Path, ratings: list[tuple[int, int, float, int]]) -> Path:
    folder.mkdir(exist_ok=True)
    with (folder / "ratings.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("userId", "movieId", "rating", "timestamp"), *ratings])
    with (folder / "movies.csv").open("w", newline="") as file:
        rows = [(m, f"Film {m} ({1980 + m})", "Drama|War" if m % 3 else "Comedy") for m in range(1, N_MOVIES + 1)]
        csv.writer(file).writerows([("movieId", "title", "genres"), *rows])
    return folder


@pytest.fixture
def ratings() -> list[tuple[int, int, float, int]]:
    rng = np.random.default_rng(3)
    return [
        (user, int(movie), float(rng.choice([1, 3, 4, 5])), int(1e9) + 86_400 * (N_USERS * step + user))
        for user in range(1, N_USERS + 1)
        for step, movie in enumerate(rng.permutation(N_MOVIES)[:N_RATINGS] + 1)
    ]


def options(folder: Path, **changed) -> movielens.Options:
    return movielens.Options(folder=folder, positives=4, negatives=6, history=5, **changed)


def test_a_group_is_the_next_ratings_among_strangers(tmp_path, ratings):
    folder = write(tmp_path / "ml", ratings)
    data = groups_of(read_folder(folder), options(folder))
    assert data.n_groups == N_USERS * 3  # 13 ratings behind the history, 4 at a time
    assert (data.group_sizes == 10).all()
    stars = {(user, movie): star for user, movie, star, _ in ratings}
    expected = {grade: sum(star >= low for star in stars.values()) for grade, low in ((1, 3), (2, 4), (3, 5))}
    for grade, most in expected.items():
        assert 0 < (data.grades >= grade).sum() <= most


def test_features_know_nothing_of_the_future(tmp_path, ratings):
    """What is rated from some moment on, and how, changes no feature of a group that began before it."""
    last_s = max(when for *_, when in ratings)
    late = [rating for rating in ratings if rating[3] > last_s - 86_400 * N_USERS]
    early = [rating for rating in ratings if rating not in late]
    flipped = [(user, movie, 6 - stars, when) for user, movie, stars, when in late]
    folder, other = write(tmp_path / "ml", ratings), write(tmp_path / "other", [*early, *flipped])
    a, b = (groups_of(read_folder(path), options(path)) for path in (folder, other))
    np.testing.assert_array_equal(a.features[: a.offsets[12]], b.features[: b.offsets[12]])


def test_counts_are_those_before_the_group(tmp_path, ratings):
    folder = write(tmp_path / "ml", ratings)
    data = groups_of(read_folder(folder), options(folder, groups_per_user=1))
    column = data.feature_names.index("user_ratings")
    assert set(data.features[:, column]) == {5.0}
    total = data.features[:, data.feature_names.index("movie_ratings")]
    assert total.max() <= N_USERS


def test_splits_follow_time(tmp_path, ratings):
    folder = write(tmp_path / "ml", ratings)
    splits = movielens.load(options(folder), tmp_path / "cache")
    column = splits.train.feature_names.index("user_ratings")
    means = [split.features[:, column].mean() for split in (splits.train, splits.valid, splits.test)]
    assert means == sorted(means)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "movies.csv").unlink(), "no such file"),
        (lambda folder: (folder / "ratings.csv").write_text("userId,movieId\n1,2\n"), "columns"),
        (lambda folder: (folder / "movies.csv").write_text("movieId,title,genres\n1,A (1990),War\n"), "not in movies"),
        (lambda folder: (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,x,3\n"), "columns"),
    ],
)
def test_bad_folders(tmp_path, ratings, change, message):
    folder = write(tmp_path / "ml", ratings)
    change(folder)
    with pytest.raises(DataError, match=message):
        movielens.load(options(folder), tmp_path / "cache")


def test_too_few_ratings(tmp_path, ratings):
    folder = write(tmp_path / "ml", ratings)
    with pytest.raises(DataError, match="no user has 105 ratings"):
        movielens.load(options(folder).model_copy(update={"history": 101}), tmp_path / "cache")
