"""Rows where two forms of one forest would differ if they did: at thresholds, beside them, and not finite."""

from __future__ import annotations

import numpy as np

from harness.ranking_data import Features, Floats
from harness.trees.forest import Forest, categories_of, thresholds_by_split
from harness.trees.ranks import LIGHTGBM_ZERO

N_ROWS = 512
_SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0], dtype=np.float32)


def probe(forest: Forest) -> Features:
    """(N_ROWS, n_features): thresholds, their neighbours in float32, categories, values far from them, not finite."""
    rng = np.random.default_rng(0)
    x = np.empty((N_ROWS, forest.n_features), dtype=np.float32)
    for feature, thresholds in enumerate(thresholds_of(forest)):
        with np.errstate(over="ignore"):
            at = rng.choice(thresholds if thresholds.size else np.zeros(1), N_ROWS).astype(np.float32)
            kinds = [
                at,
                np.nextafter(at, np.float32(np.inf)),
                np.nextafter(at, np.float32(-np.inf)),
                (at * rng.normal(scale=2.0, size=N_ROWS) + rng.normal(size=N_ROWS)).astype(np.float32),
                rng.choice(_SPECIAL, N_ROWS),
            ]
        x[:, feature] = np.choose(rng.integers(len(kinds), size=N_ROWS), kinds)
    for feature, categories in categories_of(forest.trees).items():
        listed = rng.choice(np.append(categories, categories.max(initial=0) + 1), N_ROWS)
        kinds = [listed, listed, listed + 0.5, rng.choice(_SPECIAL, N_ROWS)]
        x[:, feature] = np.choose(rng.integers(len(kinds), size=N_ROWS), kinds)
    x[np.abs(x) <= LIGHTGBM_ZERO] = 0.0
    return x


def thresholds_of(forest: Forest) -> list[Floats]:
    """Distinct thresholds of each feature, ascending; an empty array for a feature that no tree reads."""
    feature, value = thresholds_by_split(forest.trees)
    order = np.lexsort((value, feature))
    bounds = np.searchsorted(feature[order], np.arange(1, forest.n_features))
    return [np.unique(values) for values in np.split(value[order], bounds)]
