"""Candidate lists for the requests, drawn from real query groups."""

from __future__ import annotations

import numpy as np

from harness.load.schedule import CANDIDATE_STREAM, stream
from harness.ranking_data import Features, RankingData
from harness.scenario.schema import Traffic


def candidate_lists(data: RankingData, traffic: Traffic) -> list[Features]:
    """`n_bodies` seeded lists (n, n_features) float32.

    The query groups are laid end to end in a shuffled order (shuffled anew each time they run out) and cut every
    `n_candidates` rows; where `n_candidates` is null, each list is one query group.
    """
    rng = stream(traffic.seed, CANDIDATE_STREAM)
    if traffic.n_candidates is None:
        n_shuffles = -(-traffic.n_bodies // data.n_groups)
        groups = np.concatenate([rng.permutation(data.n_groups) for _ in range(n_shuffles)])
        return [data.features[data.rows_of(int(group))] for group in groups[: traffic.n_bodies]]
    n_shuffles = -(-traffic.n_bodies * traffic.n_candidates // data.n_rows)
    starts, sizes = data.offsets[:-1], data.group_sizes
    laid: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for _ in range(n_shuffles):
        order = rng.permutation(data.n_groups)
        ends = np.cumsum(sizes[order])
        laid.append(np.repeat(starts[order] - ends + sizes[order], sizes[order]) + np.arange(data.n_rows))
    rows = np.concatenate(laid)[: traffic.n_bodies * traffic.n_candidates]
    return [data.features[cut] for cut in rows.reshape(traffic.n_bodies, traffic.n_candidates)]
