"""Candidate lists for the requests, drawn from real query groups, or random ones where there is no data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.load.streams import CANDIDATE_STREAM, RANDOM_STREAM, stream
from harness.ranking_data import Features, RankingData
from harness.scenario.traffic import CandidateCount, DlrmCandidates, Traffic

_DLRM = np.repeat([100, 200, 300, 400, 500, 600, 700], [2, 12, 2, 1, 1, 1, 1])
"""The twenty equally likely lengths of MLPerf's DLRM benchmark."""

Rows = NDArray[np.int64]


def candidate_lists(data: RankingData, traffic: Traffic) -> list[Features]:
    """`n_bodies` seeded lists (n, n_features) float32."""
    return [data.features[rows] for rows in candidate_rows(data, traffic)]


def candidate_rows(data: RankingData, traffic: Traffic) -> list[Rows]:
    """The rows (n,) of each of the `n_bodies` seeded lists.

    The query groups are laid end to end in a shuffled order (shuffled anew each time they run out) and cut into lists
    of the declared lengths; where `n_candidates` is null, each list is one query group.
    """
    rng = stream(traffic.seed, CANDIDATE_STREAM)
    starts, sizes = data.offsets[:-1], data.group_sizes
    if traffic.n_candidates is None:
        n_shuffles = -(-traffic.n_bodies // data.n_groups)
        groups = np.concatenate([rng.permutation(data.n_groups) for _ in range(n_shuffles)])
        return [starts[group] + np.arange(sizes[group]) for group in groups[: traffic.n_bodies]]
    lengths = list_lengths(traffic.n_candidates, traffic.n_bodies, rng)
    ends = np.cumsum(lengths)
    return np.split(_shuffled_rows(data, int(ends[-1]), rng), ends[:-1])


def random_candidates(traffic: Traffic) -> RankingData:
    """`n_bodies` query groups of the declared lengths without grades (all 0), for a target without data.

    Features are standard normal, `n_features` of them.
    """
    lengths = list_lengths(traffic.n_candidates, traffic.n_bodies, stream(traffic.seed, CANDIDATE_STREAM))
    n, d = int(lengths.sum()), traffic.n_features or 1
    return RankingData(
        name="random",
        features=stream(traffic.seed, RANDOM_STREAM).standard_normal((n, d), dtype=np.float32),
        grades=np.zeros(n, dtype=np.int32),
        group_sizes=lengths,
        feature_names=tuple(f"f{i}" for i in range(d)),
    )


def list_lengths(n_candidates: CandidateCount, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`n` lengths of candidate lists, one from each n-th of the distribution's probability, in random order."""
    if isinstance(n_candidates, int):
        return np.full(n, n_candidates)
    if n_candidates is None:
        raise ValueError("query groups have lengths of their own")
    probability = (rng.permutation(n) + rng.random(n)) / n
    if isinstance(n_candidates, DlrmCandidates):
        return _DLRM[(probability * _DLRM.size).astype(np.int64)]
    length = n_candidates.median * np.exp(n_candidates.sigma * ndtri(probability))
    lengths: NDArray[np.int64] = np.clip(length.round(), 1, n_candidates.max).astype(np.int64)
    return lengths


def _shuffled_rows(data: RankingData, n: int, rng: np.random.Generator) -> Rows:
    """The first `n` row numbers of all query groups end to end, shuffled as often as it takes."""
    starts, sizes = data.offsets[:-1], data.group_sizes
    laid: list[Rows] = []
    for _ in range(-(-n // data.n_rows)):
        order = rng.permutation(data.n_groups)
        ends = np.cumsum(sizes[order])
        laid.append(np.repeat(starts[order] - ends + sizes[order], sizes[order]) + np.arange(data.n_rows))
    return np.concatenate(laid)[:n]
