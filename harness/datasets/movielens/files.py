"""The files of a MovieLens folder, as arrays in order of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets._paths import open_bytes, require_files
from harness.errors import DataError
from harness.ranking_data import Features

_YEAR = re.compile(r"\((\d{4})\)\s*$")
_NO_GENRE = "(no genres listed)"


@dataclass(frozen=True)
class MovieLens:
    """Ratings and tags sorted by time (stable), movies by their place in movies.csv.

    user, movie: (n_ratings,) places of user and movie; stars: (n_ratings,) 0.5 to 5; rated_s: (n_ratings,) Unix time;
    tagged, tagged_s: (n_tags,) movie and Unix time; genres: (n_movies, n_genres) 0 or 1; year: (n_movies,) of release,
    NaN where the title does not tell.
    """

    user: NDArray[np.int64]
    movie: NDArray[np.int64]
    stars: Features
    rated_s: NDArray[np.int64]
    tagged: NDArray[np.int64]
    tagged_s: NDArray[np.int64]
    genres: Features
    genre_names: tuple[str, ...]
    year: Features

    @property
    def n_movies(self) -> int:
        """Movies, rated or not."""
        return int(self.year.size)

    @property
    def n_users(self) -> int:
        """Users with a rating."""
        return int(self.user.max()) + 1


def paths_of(folder: Path) -> tuple[Path, ...]:
    """The files that are read: ratings, movies, and tags where there are some. DataError where one is missing."""
    ratings, movies, tags = (_file(folder, name) for name in ("ratings", "movies", "tags"))
    require_files((ratings, movies), "folder")
    return (ratings, movies, tags) if tags.is_file() else (ratings, movies)


def read_folder(folder: Path) -> MovieLens:
    """Read ratings, movies and, where there is one, tags. Raises DataError naming file, column and row."""
    ratings_path, movies_path, *tags_paths = paths_of(folder)
    movies = _read(movies_path, {"movieId": "int64", "title": "str", "genres": "str"})
    ratings = _read(ratings_path, {"userId": "int64", "movieId": "int64", "rating": "float32", "timestamp": "int64"})
    if ratings.empty:
        raise DataError("holds no ratings", where=str(ratings_path), remedy="copy or download it again")
    place = pd.Index(movies["movieId"])
    ratings = ratings.sort_values("timestamp", kind="stable")
    tags = [_read(path, {"movieId": "int64", "timestamp": "int64"}) for path in tags_paths]
    tagged = pd.concat(tags).sort_values("timestamp", kind="stable") if tags else ratings.iloc[:0]
    listed = movies["genres"].where(movies["genres"] != _NO_GENRE, "").str.get_dummies("|")
    years = [_YEAR.search(title) for title in movies["title"]]
    return MovieLens(
        user=pd.factorize(ratings["userId"], sort=True)[0].astype(np.int64),
        movie=_places(place, ratings["movieId"], ratings_path),
        stars=ratings["rating"].to_numpy(np.float32),
        rated_s=ratings["timestamp"].to_numpy(np.int64),
        tagged=_places(place, tagged["movieId"], tags_paths[0] if tags_paths else folder),
        tagged_s=tagged["timestamp"].to_numpy(np.int64),
        genres=listed.to_numpy(np.float32),
        genre_names=tuple(map(str, listed.columns)),
        year=np.array([float(found[1]) if found else np.nan for found in years], dtype=np.float32),
    )


def _file(folder: Path, name: str) -> Path:
    plain = folder / f"{name}.csv"
    return plain if plain.is_file() else folder / f"{name}.csv.gz"


def _read(path: Path, columns: dict[str, str]) -> pd.DataFrame:
    with open_bytes(path) as file:
        try:
            frame = pd.read_csv(file, usecols=[*columns], dtype=columns, encoding="utf-8")
        except (ValueError, pd.errors.ParserError) as error:
            raise DataError(
                f"can't be read as MovieLens' own CSV with the columns {', '.join(columns)}: {error}",
                where=str(path),
                remedy="give the folder as GroupLens packs it",
            ) from error
    return frame.fillna({name: "" for name, kind in columns.items() if kind == "str"})


def _places(place: pd.Index, movie_id: pd.Series, path: Path) -> NDArray[np.int64]:
    found = place.get_indexer(movie_id)
    if (found < 0).any():
        raise DataError(
            f"movieId {movie_id.iloc[int(np.argmin(found))]} is not in movies.csv",
            where=str(path),
            remedy="take both files from the same MovieLens release",
        )
    return np.asarray(found, dtype=np.int64)
