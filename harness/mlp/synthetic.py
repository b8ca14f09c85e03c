"""Synthetic documents that a student is taught on beside the real ones, labelled by the teacher's scores."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features, Floats


def split_midpoints(
    feature: NDArray[Any], threshold: Floats, x: Features, categorical: Container[int] = ()
) -> list[Features]:
    """Values to draw each feature from: one inside every interval between two splits of the teacher.

    The midpoints between consecutive thresholds of the feature, and the least and greatest value it has in x
    (Cohen et al., "Universal approximation functions for fast learning to rank", SIGIR 2018).

    A `categorical` feature has no such intervals: its values in x, each as often as it occurs.

    feature, threshold: (n_splits,) of all splits by threshold; x: (n, n_features). One vector per feature; NaN alone
    where a feature has neither values nor splits.
    """
    lists = []
    for column in range(x.shape[1]):
        cuts = np.unique(threshold[(feature == column) & np.isfinite(threshold)])
        present = x[np.isfinite(x[:, column]), column]
        if column in categorical and present.size:
            lists.append(present)
            continue
        ends = [present.min(), present.max()] if present.size else []
        values = np.unique(np.concatenate([(cuts[1:] + cuts[:-1]) / 2, ends])).astype(np.float32)
        lists.append(values if values.size else np.array([np.nan], dtype=np.float32))
    return lists


def draw(lists: list[Features], missing_share: Floats, n: int, rng: np.random.Generator) -> Features:
    """n documents (n, n_features): each feature by itself, uniform over its list, NaN at its `missing_share`."""
    documents = np.empty((n, len(lists)), dtype=np.float32)
    for column, values in enumerate(lists):
        documents[:, column] = values[rng.integers(values.size, size=n)]
        documents[rng.random(n) < missing_share[column], column] = np.nan
    return documents


def cross(x: Features, n: int, rng: np.random.Generator) -> Features:
    """n documents (n, n_features), each a random mixture of two rows of x: a teacher without splits needs no more."""
    first, second = rng.integers(x.shape[0], size=(2, n))
    documents: Features = x[first]
    taken = rng.random(documents.shape, dtype=np.float32) < 0.5
    documents[taken] = x[second][taken]
    return documents
