"""Features of candidates for one user at one moment, from the past only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.datasets.movielens.files import MovieLens
from harness.datasets.movielens.past import WINDOWS_DAYS, Past
from harness.ranking_data import Features, Floats

_DAY_S, _YEAR_S = 86_400.0, 365.25 * 86_400.0
_PRIOR_STARS, _PRIOR_RATINGS = 3.5, 5.0  # what a movie or a genre is thought of before it is rated
_LIKED, _NEIGHBOURS, _LATEST = 4.0, 10, 10


@dataclass(frozen=True)
class History:
    """A user's own ratings before the moment, oldest first: movie, stars, time; all (n_rated,)."""

    movie: NDArray[np.int64]
    stars: Floats
    rated_s: NDArray[np.int64]


def observe(
    source: MovieLens, past: Past, history: History, candidates: NDArray[np.int64], time_s: int
) -> dict[str, Floats]:
    """Name -> (n_candidates,) values, NaN for what is not known yet."""
    return (
        _of_movies(source, past, candidates, time_s)
        | _of_user(history, time_s, candidates.size)
        | _of_tastes(source, history, candidates)
        | _of_neighbours(past, history, candidates)
    )


def _of_movies(source: MovieLens, past: Past, candidates: NDArray[np.int64], time_s: int) -> dict[str, Floats]:
    n, stars = past.n_ratings[candidates], past.stars[candidates]
    mean = np.where(n > 0, stars / np.maximum(n, 1), np.nan)
    variance = np.where(n > 1, past.squares[candidates] / np.maximum(n, 1) - mean**2, np.nan)
    released = 1970.0 + time_s / _YEAR_S - source.year[candidates]
    recent = past.recent[:, candidates]
    found = {
        "movie_ratings": n,
        "movie_stars": (stars + _PRIOR_STARS * _PRIOR_RATINGS) / (n + _PRIOR_RATINGS),
        "movie_stars_deviation": np.sqrt(np.maximum(variance, 0)),
        "movie_age_years": released.astype(np.float64),
        "movie_days_since_first_rating": (time_s - past.first_s[candidates]) / _DAY_S,
        "movie_tags": past.n_tags[candidates],
        "movie_trend": recent[0] / np.maximum(recent[1], 1),
        "movie_rank": np.argsort(np.argsort(-n, kind="stable"), kind="stable").astype(np.float64),
    }
    found |= {f"movie_ratings_{days}_days": recent[i] for i, days in enumerate(WINDOWS_DAYS)}
    genres = source.genres[candidates].astype(np.float64)
    return found | {f"genre_{name.lower()}": genres[:, i] for i, name in enumerate(source.genre_names)}


def _of_user(history: History, time_s: int, n: int) -> dict[str, Floats]:
    values = {
        "user_ratings": history.movie.size,
        "user_stars": history.stars.mean(),
        "user_stars_deviation": history.stars.std(),
        "user_days": (time_s - history.rated_s[0]) / _DAY_S,
        "user_days_idle": (time_s - history.rated_s[-1]) / _DAY_S,
        "user_ratings_last_day": np.count_nonzero(history.rated_s > time_s - _DAY_S),
    }
    return {name: np.full(n, float(value)) for name, value in values.items()}


def _of_tastes(source: MovieLens, history: History, candidates: NDArray[np.int64]) -> dict[str, Floats]:
    """How the candidate's genres and year agree with what the user rated, and liked."""
    own = source.genres[history.movie].astype(np.float64)
    genres = source.genres[candidates].astype(np.float64)
    centred = history.stars - history.stars.mean()
    share = own.mean(axis=0)
    liking = centred @ own / (own.sum(axis=0) + _PRIOR_RATINGS)
    n_genres = genres.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        norm = np.sqrt(n_genres * (share**2).sum())
        cosine = np.where(norm > 0, genres @ share / norm, np.nan)
        mean_liking = np.where(n_genres > 0, genres @ liking / n_genres, np.nan)
    last = own[-_LATEST:].mean(axis=0)
    years = source.year[history.movie]
    distance = np.abs(years[None, :] - source.year[candidates][:, None])
    near = distance <= 5
    n_near = near.sum(axis=1)
    return {
        "taste_genre_cosine": cosine,
        "taste_genre_liking": mean_liking,
        "taste_best_genre_liking": np.where(genres > 0, liking, -np.inf).max(axis=1, initial=-5.0),
        "taste_worst_genre_liking": np.where(genres > 0, liking, np.inf).min(axis=1, initial=5.0),
        "taste_latest_genres": genres @ last / np.maximum(n_genres, 1),
        "taste_year_distance": np.abs(source.year[candidates] - np.nanmean(years)).astype(np.float64)
        if np.isfinite(years).any()
        else np.full(candidates.size, np.nan),
        "taste_years_share": n_near / history.movie.size,
        "taste_years_liking": near @ centred / (n_near + _PRIOR_RATINGS),
    }


def _of_neighbours(past: Past, history: History, candidates: NDArray[np.int64]) -> dict[str, Floats]:
    """Item-based collaborative filtering over the user's own movies."""
    similarity = past.similarity(candidates, history.movie).astype(np.float64)
    centred = history.stars - history.stars.mean()
    liked = history.stars >= _LIKED
    k = min(_NEIGHBOURS, history.movie.size)
    nearest = np.partition(similarity, -k, axis=1)[:, -k:]
    total = similarity.sum(axis=1)
    return {
        "neighbours_mean": similarity.mean(axis=1),
        "neighbours_max": similarity.max(axis=1),
        "neighbours_nearest": nearest.mean(axis=1),
        "neighbours_liked": similarity[:, liked].mean(axis=1) if liked.any() else np.zeros(candidates.size),
        "neighbours_disliked": similarity[:, ~liked].mean(axis=1) if (~liked).any() else np.zeros(candidates.size),
        "neighbours_latest": similarity[:, -_LATEST:].mean(axis=1),
        "neighbours_last": similarity[:, -1],
        "neighbours_stars": np.where(total > 0, similarity @ centred / np.maximum(total, 1e-9), np.nan),
    }


def as_columns(observed: list[dict[str, Floats]]) -> tuple[tuple[str, ...], Features]:
    """Names, and (n_rows, n_features) float32 of all groups one after the other."""
    names = tuple(observed[0])
    rows = [np.stack([group[name] for name in names], axis=1) for group in observed]
    return names, np.concatenate(rows).astype(np.float32)
