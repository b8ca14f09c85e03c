"""What counts as a feature value and as a grade, for every dataset that is read from a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Features

TOP_GRADE = 30
"""Highest grade: the gain 2^grade - 1 stays exact, and LightGBM's table of gains ends here."""

_LARGEST = float(np.finfo(np.float32).max)


def as_features(values: NDArray[Any]) -> Features:
    """`values` as float32; what is too large for it, infinities included, becomes NaN.

    The Istella sets mark a missing value by the largest double.
    """
    beyond = np.abs(values) > _LARGEST
    if beyond.any():
        values = np.where(beyond, np.nan, values)
    return values.astype(np.float32)


def bad_grades(grades: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a grade is not a whole number from 0 to `TOP_GRADE` (NaN included)."""
    good = (grades >= 0) & (grades <= TOP_GRADE) & (grades == np.floor(grades))
    return np.asarray(~good)
