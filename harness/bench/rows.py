"""Rows to score: so many that they outgrow the second-level cache, cut into candidate lists that rotate.

A list that is scored again and again trains the branch predictor and stays in the cache: it flatters engines that walk
trees, by a factor of four at times.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.bundle import Bundle
from harness.ranking_data import Features

TIMES_CACHE = 3
MISSING_SHARE = 0.05
_L2_SIZE = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
_L2_BYTES = 2 << 20
_FEWEST_LISTS = 4


def l2_bytes() -> int:
    """Size of a core's second-level cache as the kernel gives it, else 2 MiB."""
    try:
        text = _L2_SIZE.read_text(encoding="ascii").strip()
        return int(text.rstrip("KM")) << {"K": 10, "M": 20}.get(text[-1:], 0)
    except (OSError, ValueError):
        return _L2_BYTES


def n_rows_for(longest: int, n_features: int) -> int:
    """How many rows outgrow the cache, and give several lists of the longest length."""
    return max(TIMES_CACHE * l2_bytes() // (4 * n_features) + 1, _FEWEST_LISTS * longest)


def rotated(features: Features, longest: int, seed: int = 0) -> Features:
    """Rows of `features` in random order, all of them and as often as it takes to outgrow the cache."""
    n = max(n_rows_for(longest, features.shape[1]), features.shape[0])
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(features.shape[0]) for _ in range(-(-n // features.shape[0]))])
    return np.ascontiguousarray(features[order[:n]], dtype=np.float32)


def lists_of(rows: Features, n: int) -> Iterator[Features]:
    """Lists of n neighbouring rows without end, each time round beginning at another row."""
    first = 0
    while True:
        for start in range(first, rows.shape[0] - n + 1, n):
            yield rows[start : start + n]
        first = (first + 1) % max(1, min(n, rows.shape[0] - n + 1))


def made_up_rows(bundle: Bundle, longest: int, seed: int = 0) -> Features:
    """Rows for a model that comes without data, with missing values, many enough to outgrow the cache.

    A feature that trees split on takes values between its thresholds, each gap as likely as any other, or its
    categories and one that no split lists; other features are standard normal. A network of other origin gets no
    missing values, for it may not take any.
    """
    rng = np.random.default_rng(seed)
    n, d = n_rows_for(longest, bundle.manifest.n_features), bundle.manifest.n_features
    x = rng.normal(size=(n, d))
    if bundle.manifest.format == "trees":
        from harness.trees import artefacts
        from harness.trees.forest import categories_of, thresholds_by_split

        trees = artefacts.load(bundle).trees
        feature, threshold = thresholds_by_split(trees)
        for one in np.unique(feature):
            x[:, one] = _between(threshold[feature == one], n, rng)
        for one, categories in categories_of(trees).items():
            x[:, one] = rng.choice(np.append(categories, categories.max(initial=-1) + 1), n)
    if bundle.manifest.format in ("trees", "mlp"):
        x[rng.random(x.shape) < MISSING_SHARE] = np.nan
    return x.astype(np.float32)


def _between(thresholds: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    limit = float(np.finfo(np.float32).max)
    edges = np.unique(thresholds.clip(-limit, limit))
    margin = max(1.0, float(edges[-1] / 2 - edges[0] / 2))
    ends = np.concatenate([[edges[0] - margin], edges, [edges[-1] + margin]]).clip(-limit, limit)
    gap, share = rng.integers(ends.size - 1, size=n), rng.random(n)
    return np.asarray(ends[gap] * (1 - share) + ends[gap + 1] * share)
