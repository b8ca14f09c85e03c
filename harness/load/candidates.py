"""Candidate lists for the requests, drawn from real query groups, or random ones where there is no data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.load.schedule import CANDIDATE_STREAM, stream
from harness.ranking_data import Features, RankingData
from harness.scenario.schema import Traffic

RANDOM_STREAM = 2

Rows = NDArray[np.int64]


def candidate_lists(data: RankingData, traffic: Traffic) -> list[Features]:
    """`n_bodies` seeded lists (n, n_features) float32."""
    return [data.features[rows] for rows in candidate_rows(data, traffic)]


def candidate_rows(data: RankingData, traffic: Traffic) -> list[Rows]:
    """The rows (n,) of each of the `n_bodies` seeded lists.

    The query groups are laid end to end in a shuffled order (shuffled anew each time they run out) and cut every
    `n_candidates` rows; where `n_candidates` is null, each list is one query group.
    """
    rng = stream(traffic.seed, CANDIDATE_STREAM)
    starts, sizes = data.offsets[:-1], data.group_sizes
    if traffic.n_candidates is None:
        n_shuffles = -(-traffic.n_bodies // data.n_groups)
        groups = np.concatenate([rng.permutation(data.n_groups) for _ in range(n_shuffles)])
        return [starts[group] + np.arange(sizes[group]) for group in groups[: traffic.n_bodies]]
    n_shuffles = -(-traffic.n_bodies * traffic.n_candidates // data.n_rows)
    laid: list[Rows] = []
    for _ in range(n_shuffles):
        order = rng.permutation(data.n_groups)
        ends = np.cumsum(sizes[order])
        laid.append(np.repeat(starts[order] - ends + sizes[order], sizes[order]) + np.arange(data.n_rows))
    rows = np.concatenate(laid)[: traffic.n_bodies * traffic.n_candidates]
    return list(rows.reshape(traffic.n_bodies, traffic.n_candidates))


def random_candidates(traffic: Traffic) -> RankingData:
    """`n_bodies` lists of normal features, `n_features` wide, without grades (all 0): for a target without data."""
    n, d = traffic.n_candidates or 1, traffic.n_features or 1
    rng = stream(traffic.seed, RANDOM_STREAM)
    return RankingData(
        name="random",
        features=rng.standard_normal((traffic.n_bodies * n, d), dtype=np.float32),
        grades=np.zeros(traffic.n_bodies * n, dtype=np.int32),
        group_sizes=np.full(traffic.n_bodies, n, dtype=np.int64),
        feature_names=tuple(f"f{i}" for i in range(d)),
    )
