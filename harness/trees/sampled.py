"""Evenly spaced parts of a split: what bounds the memory and time of methods that work on rows times trees."""

from __future__ import annotations

import numpy as np

from harness.ranking_data import Features, RankingData


def spaced_rows(x: Features, most: int) -> Features:
    """At most so many rows of x (n, n_features), evenly spaced."""
    if x.shape[0] <= most:
        return x
    return x[np.linspace(0, x.shape[0] - 1, most).astype(np.int64)]


def spaced_groups(data: RankingData, most_rows: int) -> RankingData:
    """Whole query groups, evenly spaced, of about `most_rows` rows at most; all where those are few enough."""
    if data.n_rows <= most_rows:
        return data
    step = -(-data.n_rows // most_rows)
    return data.take_groups(np.arange(0, data.n_groups, step))


def said(used: int, of: int, what: str) -> str:
    """`on 20,000 of 119,000 rows of train`: what a note says of a sample."""
    return f"all {of:,} {what}" if used == of else f"{used:,} of {of:,} {what}, evenly spaced"
