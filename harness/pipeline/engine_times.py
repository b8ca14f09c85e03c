"""Engine time: every form of the ranker scored in turn in one run, over candidate lists that rotate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.bench.calls import Effort, call_times_us
from harness.load.candidates import list_lengths
from harness.protocols import Scorer
from harness.ranking_data import RankingData
from harness.scenario import CandidateCount

_EFFORT = Effort(seconds=3.0, fewest=20, most=400)
_LENGTHS = 20


def candidate_blocks(data: RankingData, n_candidates: CandidateCount, seed: int) -> Iterator[NDArray[np.float32]]:
    """Endless candidate lists from the test split: so many rows that a caller's loop outgrows the cache levels."""
    rng = np.random.default_rng(seed)
    while True:
        if n_candidates is None:
            yield np.ascontiguousarray(data.features[data.rows_of(int(rng.integers(data.n_groups)))])
            continue
        for length in list_lengths(n_candidates, _LENGTHS, rng):
            yield np.ascontiguousarray(data.features[rng.integers(data.n_rows, size=length)])


def engine_times_us(
    scorers: Sequence[Scorer], data: RankingData, n_candidates: CandidateCount, cpus: Sequence[int], seed: int = 0
) -> list[tuple[float, float]]:
    """Median and p99 time in us of one candidate list for each scorer, interleaved round by round on one core."""
    times = call_times_us(scorers, candidate_blocks(data, n_candidates, seed), cpus, _EFFORT)
    return [(float(np.median(own)), float(np.quantile(own, 0.99))) for own in times]
