"""What had been rated and tagged before a moment: counts that grow as the ratings are played back in order of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.movielens.files import MovieLens
from harness.ranking_data import Features

_DAY_S = 86_400
WINDOWS_DAYS = (30, 365)
_MOST_SLOTS = 12_000  # movies whose pairs are counted: those rated first; bounds the table of pairs


class Past:
    """State just before one rating; `play` adds that rating.

    n_ratings, stars, squares: (n_movies,) count, sum and sum of squares; first_s: (n_movies,) time of the first rating;
    recent: (2, n_movies) ratings of the last 30 and 365 days; n_tags: (n_movies,).
    """

    def __init__(self, source: MovieLens) -> None:
        n = source.n_movies
        self._source = source
        self._next = 0
        self._oldest = [0] * len(WINDOWS_DAYS)
        self._next_tag = 0
        self.n_ratings = np.zeros(n)
        self.stars = np.zeros(n)
        self.squares = np.zeros(n)
        self.first_s = np.full(n, np.nan)
        self.recent = np.zeros((len(WINDOWS_DAYS), n))
        self.n_tags = np.zeros(n)
        self._slot = np.full(n, -1, dtype=np.int64)
        self._n_slots = 0
        n_slots = min(n, _MOST_SLOTS)
        self._pairs = np.zeros((n_slots, n_slots + 1), dtype=np.min_scalar_type(source.n_users))
        self._own = [np.empty(n_rated, dtype=np.int64) for n_rated in np.bincount(source.user)]
        self._n_own = np.zeros(source.n_users, dtype=np.int64)

    def until(self, time_s: int) -> None:
        """Let the windows and the tags move on to a moment."""
        source = self._source
        for window, days in enumerate(WINDOWS_DAYS):
            oldest = self._oldest[window]
            while oldest < self._next and source.rated_s[oldest] < time_s - days * _DAY_S:
                self.recent[window, source.movie[oldest]] -= 1
                oldest += 1
            self._oldest[window] = oldest
        while self._next_tag < source.tagged.size and source.tagged_s[self._next_tag] < time_s:
            self.n_tags[source.tagged[self._next_tag]] += 1
            self._next_tag += 1

    def play(self) -> None:
        """Add the next rating."""
        source, at = self._source, self._next
        movie, stars = int(source.movie[at]), float(source.stars[at])
        if self.n_ratings[movie] == 0:
            self.first_s[movie] = source.rated_s[at]
            if self._n_slots < self._pairs.shape[0]:
                self._slot[movie] = self._n_slots
                self._n_slots += 1
        self.n_ratings[movie] += 1
        self.stars[movie] += stars
        self.squares[movie] += stars * stars
        self.recent[:, movie] += 1
        own, n_own = self._own[int(source.user[at])], self._n_own[source.user[at]]
        slot = self._slot[movie]
        if slot >= 0:
            self._pairs[slot, own[:n_own]] += 1  # the last column takes those without a slot
        own[n_own] = slot
        self._n_own[source.user[at]] += 1
        self._next += 1

    def similarity(self, candidates: NDArray[np.int64], rated: NDArray[np.int64]) -> Features:
        """(n_candidates, n_rated): users who rated both, as the cosine of the two movies' sets of users."""
        rows, columns = self._slot[candidates], self._slot[rated]
        both = self._pairs[rows[:, None], columns[None, :]] + self._pairs[columns[None, :], rows[:, None]]
        both[rows < 0] = 0
        both[:, columns < 0] = 0
        norm = np.sqrt(np.maximum(self.n_ratings[candidates], 1))[:, None] * np.sqrt(self.n_ratings[rated])[None, :]
        similarity: Features = (both / norm).astype(np.float32)
        return similarity
