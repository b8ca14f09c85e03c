"""Query groups of a user's next ratings among movies not rated, in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.datasets.movielens.features import History, as_columns, observe
from harness.datasets.movielens.files import MovieLens
from harness.datasets.movielens.past import Past
from harness.errors import DataError
from harness.ranking_data import Floats, RankingData

if TYPE_CHECKING:
    from harness.datasets.movielens import Options

GRADE_STARS = (3.0, 4.0, 5.0)
"""From so many stars on a rated movie has grade 1, 2, 3."""


def groups_of(source: MovieLens, options: Options) -> RankingData:
    """All groups, earliest first. Raises DataError where no user has ratings enough for one."""
    of_user = _ratings_of_users(source)
    blocks = {int(block[0]): block for own in of_user for block in _blocks(source, own, options)}
    if not blocks:
        raise DataError(
            f"no user has {options.history + options.positives} ratings, of which some are liked",
            where=str(options.folder),
            remedy="lower data.history or data.positives",
        )
    rng, past = np.random.default_rng(options.seed), Past(source)
    observed: list[dict[str, Floats]] = []
    grades: list[NDArray[np.int32]] = []
    for at in range(max(blocks) + 1):
        block = blocks.get(at)
        if block is not None:
            time_s, own = int(source.rated_s[at]), of_user[int(source.user[at])]
            past.until(time_s)
            before = own[: int(np.searchsorted(own, at))]
            history = History(source.movie[before], source.stars[before].astype(np.float64), source.rated_s[before])
            rated = np.unique(source.movie[block])
            strangers = _strangers(past, source.movie[own], options.negatives, rng)
            candidates = np.concatenate([rated, strangers])
            stars = np.zeros(candidates.size)
            stars[np.searchsorted(rated, source.movie[block])] = source.stars[block]
            shuffled = rng.permutation(candidates.size)
            observed.append(observe(source, past, history, candidates[shuffled], time_s))
            grades.append(np.digitize(stars[shuffled], GRADE_STARS).astype(np.int32))
        past.play()
    names, features = as_columns(observed)
    sizes = np.array([group.size for group in grades], dtype=np.int64)
    return RankingData("all", features, np.concatenate(grades), sizes, names)


def _ratings_of_users(source: MovieLens) -> list[NDArray[np.int64]]:
    """Of each user, which ratings are theirs, in order of time."""
    order = np.argsort(source.user, kind="stable")
    return np.split(order, np.cumsum(np.bincount(source.user))[:-1])


def _blocks(source: MovieLens, own: NDArray[np.int64], options: Options) -> list[NDArray[np.int64]]:
    """Whole blocks of a user's ratings behind the history, evenly spaced, with a positive each."""
    n_blocks = max(0, (own.size - options.history) // options.positives)
    n_taken = min(n_blocks, options.groups_per_user)
    taken = np.unique(np.linspace(0, max(n_blocks - 1, 0), n_taken).astype(np.int64))
    starts = options.history + options.positives * taken
    blocks = [own[start : start + options.positives] for start in starts]
    return [block for block in blocks if source.stars[block].max() >= GRADE_STARS[0]]


def _strangers(past: Past, rated: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Up to n movies the user never rates, each as likely as it had been rated."""
    weight = past.n_ratings.copy()
    weight[rated] = 0
    known = np.flatnonzero(weight)
    if known.size <= n:
        return known
    return rng.choice(known, n, replace=False, p=weight[known] / weight[known].sum())
