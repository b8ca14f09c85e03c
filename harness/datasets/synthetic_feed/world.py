"""The world: users, items with Zipf popularity, and the requests that bring them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features

N_USERS, N_ITEMS = 10_000, 20_000
N_CONTEXT, N_TRAITS, N_MATCHES, N_MOMENTS = 6, 8, 8, 8
N_SIGNALS = N_TRAITS + N_MATCHES + N_MOMENTS
_RANK = 3  # factors behind one match
_ZIPF_EXPONENT, _ZIPF_OFFSET = 1.0, 50.0
_SIZE_SIGMA = 0.6  # of the log of the list size


@dataclass(frozen=True)
class Requests:
    """Query groups before anything is observed of them.

    context: (n_groups, N_CONTEXT), the same for all candidates of a request; signals: (n_rows, N_SIGNALS), about
    standard normal: item traits (the first is log-popularity), user-item matches, and what holds at that moment only.
    """

    group_sizes: NDArray[np.int64]
    context: Features
    signals: Features
    rng: np.random.Generator

    @property
    def group(self) -> NDArray[np.int64]:
        """Query group of each row."""
        return np.repeat(np.arange(self.group_sizes.size), self.group_sizes)


class World:
    """Everything that `seed` fixes: factors of users and items, traits of items, popularity."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = np.random.default_rng((seed, 0))
        self._users = rng.standard_normal((N_USERS, N_MATCHES * _RANK), np.float32)
        self._items = rng.standard_normal((N_ITEMS, N_MATCHES * _RANK), np.float32)
        self._habits = rng.standard_normal((N_USERS, N_CONTEXT // 2), np.float32)
        rank = rng.permutation(N_ITEMS)
        weight = (rank + 1 + _ZIPF_OFFSET) ** -_ZIPF_EXPONENT
        self._reach = np.cumsum(weight) / weight.sum()
        self._traits = rng.standard_normal((N_ITEMS, N_TRAITS), np.float32)
        self._traits[:, 0] = np.log(weight)
        shown = np.average(self._traits[:, 0], weights=weight)
        spread = np.sqrt(np.average((self._traits[:, 0] - shown) ** 2, weights=weight))
        self._traits[:, 0] = (self._traits[:, 0] - shown) / spread

    def requests(self, n_groups: int, mean_list_size: float, stream: tuple[int, ...]) -> Requests:
        """Draw query groups: a user each, and distinct items by popularity, in lists of log-normal length."""
        rng = np.random.default_rng((self.seed, 1, *stream))
        location = np.log(mean_list_size) - _SIZE_SIGMA**2 / 2
        drawn = np.maximum(np.rint(rng.lognormal(location, _SIZE_SIGMA, n_groups)), 1).astype(np.int64)
        group = np.repeat(np.arange(n_groups), drawn)
        item = np.searchsorted(self._reach, rng.random(group.size))
        group, item = np.divmod(np.unique(group * N_ITEMS + np.minimum(item, N_ITEMS - 1)), N_ITEMS)
        user = rng.integers(N_USERS, size=n_groups)
        now = rng.standard_normal((n_groups, N_CONTEXT - self._habits.shape[1]), np.float32)
        match = (self._users[user][group] * self._items[item]).reshape(-1, N_MATCHES, _RANK).sum(axis=2)
        moment = rng.standard_normal((group.size, N_MOMENTS), np.float32)
        return Requests(
            group_sizes=np.bincount(group, minlength=n_groups).astype(np.int64),
            context=np.hstack([self._habits[user], now]),
            signals=np.hstack([self._traits[item], match / np.float32(np.sqrt(_RANK)), moment]),
            rng=rng,
        )
