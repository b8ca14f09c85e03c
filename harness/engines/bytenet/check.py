"""Does the kernel score like the same whole numbers in numpy? Tried on every load, bit for bit."""

from __future__ import annotations

import numpy as np

from harness.engines.bytenet import arithmetic
from harness.engines.bytenet.runs import REMEDY
from harness.engines.bytenet.scorer import ByteScorer
from harness.errors import EngineError
from harness.mlp.model import MlpModel
from harness.ranking_data import Features

_N_ROWS = 72
_SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, 1e30, -1e30, 1.0], dtype=np.float32)


def check(scorer: ByteScorer, model: MlpModel, *, where: str) -> None:
    """EngineError where a score is another than `arithmetic` says."""
    x = probe(model.transform.n_features)
    expected, found = arithmetic.scores(model, x), scorer.score(x)
    if not np.array_equal(found, expected):
        row = int(np.argmax(found != expected))
        raise EngineError(
            f"the kernel scores {found[row]} where {expected[row]} is right (probe row {row})",
            where=where,
            remedy=REMEDY,
        )


def probe(n_features: int) -> Features:
    """(_N_ROWS, n_features): values of all sizes and signs, some missing or not finite."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(_N_ROWS, n_features)) * 10.0 ** rng.integers(-4, 5, n_features)).astype(np.float32)
    return np.where(rng.random(x.shape) < 0.1, rng.choice(_SPECIAL, x.shape), x)
