"""Evenly spaced rows of a split: what bounds the memory and time of methods that work on rows times trees."""

from __future__ import annotations

import numpy as np

from harness.ranking_data import Features


def spaced_rows(x: Features, most: int) -> Features:
    """At most so many rows of x (n, n_features), evenly spaced; x itself where it has no more."""
    if x.shape[0] <= most:
        return x
    return x[np.linspace(0, x.shape[0] - 1, most).astype(np.int64)]


def said(used: int, of: int, what: str) -> str:
    """What a note says of a sample: `20,000 of 119,000 rows of train, evenly spaced`, or `all 900 rows of train`."""
    return f"all {of:,} {what}" if used == of else f"{used:,} of {of:,} {what}, evenly spaced"
