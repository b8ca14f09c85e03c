"""Blocks of latencies, and how far a percentile of them all may be off: bootstrap and jackknife of whole blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats
from harness.samples import Samples

CONFIDENCE = 0.95
N_DRAWS = 1000
_SEED = 1


class Pool:
    """All latencies of one side, sorted, each with its block."""

    def __init__(self, blocks_ms: list[Floats]) -> None:
        self.values_ms = np.concatenate(blocks_ms)
        self.n_blocks = len(blocks_ms)
        order = np.argsort(self.values_ms, kind="stable")
        self.values_ms = self.values_ms[order]
        self._block = np.repeat(np.arange(self.n_blocks), [values.size for values in blocks_ms])[order]

    def percentiles(self, q: float, drawn: NDArray[np.int64]) -> Floats:
        """The q-quantile (draws,) where block b is taken drawn[:, b] times."""
        found = np.empty(drawn.shape[0])
        for place, times in enumerate(drawn):
            reached = np.cumsum(times[self._block])
            found[place] = self.values_ms[np.searchsorted(reached, q * reached[-1] - 1e-9)]
        return found


def draws(n_blocks: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often to take each block, (draws, n_blocks): drawn with replacement, and with each one left out."""
    drawn = np.random.default_rng(_SEED).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), N_DRAWS)
    return drawn, 1 - np.eye(n_blocks, dtype=np.int64)


def standard_error(booted: Floats, knifed: Floats) -> float:
    """Of a statistic, from its values over bootstrap draws and with each block (n,) left out: the larger of the two."""
    n = knifed.size
    return float(max(booted.std() * np.sqrt(n / (n - 1)), knifed.std() * np.sqrt(n - 1)))


def t_quantile(degrees_of_freedom: float) -> float:
    """By how many standard errors a two-sided interval reaches to each side."""
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, degrees_of_freedom))


def answered_ms(judged: Samples, timeout_ms: float) -> Floats:
    """Latencies (n,); unanswered requests count as the time-out, or as the longest answer where that took longer."""
    longest_ms = float(judged.latency_ms[judged.ok].max(initial=0.0))
    return np.where(judged.ok, judged.latency_ms, max(timeout_ms, longest_ms))
