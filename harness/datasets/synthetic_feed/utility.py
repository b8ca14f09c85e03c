"""What a user gets out of a candidate, and the grade that follows from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.synthetic_feed.world import N_CONTEXT, N_SIGNALS, Requests, World
from harness.ranking_data import Features

GRADE_SHARES = (0.52, 0.32, 0.13, 0.02, 0.01)
"""Share of the candidates with grade 0, 1, 2, 3, 4."""
_N_SATURATIONS, _N_OPTIMA, _N_TURNS, _N_PRODUCTS = 3, 6, 8, 12
_WEIGHTS = {"saturation": 0.3, "optimum": 1.3, "turn": 0.9, "product": 0.8}
_NOISE = 2.0
_REFERENCE_GROUPS = 1000


class Utility:
    """A world's utility function and the thresholds that turn it into grades."""

    def __init__(self, world: World, mean_list_size: float) -> None:
        rng = np.random.default_rng((world.seed, 2))
        self._saturated = rng.permutation(N_SIGNALS)[:_N_SATURATIONS]
        self._optimal = rng.permutation(N_SIGNALS)[:_N_OPTIMA]
        self._best = rng.uniform(-0.3, 0.3, _N_OPTIMA).astype(np.float32)
        self._turned = rng.permutation(N_SIGNALS)[:_N_TURNS]
        self._turners = np.resize(rng.permutation(N_CONTEXT), _N_TURNS)
        self._factors = rng.permutation(N_SIGNALS)[: 2 * _N_PRODUCTS].reshape(2, _N_PRODUCTS)
        reference = world.requests(_REFERENCE_GROUPS, mean_list_size, (2,))
        self._thresholds = np.quantile(self._noisy(reference), np.cumsum(GRADE_SHARES)[:-1])

    def grades(self, requests: Requests) -> NDArray[np.int32]:
        """Grades (n_rows,): which quantiles of the world's utility the noisy utility of each candidate lies between."""
        return np.digitize(self._noisy(requests), self._thresholds).astype(np.int32)

    def _noisy(self, requests: Requests) -> Features:
        noise = requests.rng.standard_normal(requests.signals.shape[0], np.float32)
        return self._exact(requests) + np.float32(_NOISE) * noise

    def _exact(self, requests: Requests) -> Features:
        signals, context = requests.signals, requests.context[requests.group]
        bounded = np.tanh(np.float32(1.5) * signals)
        parts = {
            "saturation": bounded[:, self._saturated],
            "optimum": np.exp(-2 * (signals[:, self._optimal] - self._best) ** 2),
            "turn": bounded[:, self._turned] * np.tanh(3 * context[:, self._turners]),
            "product": bounded[:, self._factors[0]] * bounded[:, self._factors[1]],
        }
        total = sum(np.float32(_WEIGHTS[kind]) * part.sum(axis=1) for kind, part in parts.items())
        return np.asarray(total, np.float32)
