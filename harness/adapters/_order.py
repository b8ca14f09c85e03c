"""From ids in the order of an answer to places of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.errors import AnswerError
from harness.protocols import Ranking


def order_of(ids: Sequence[Any], n: int) -> Ranking:
    """Places (m,) of the candidates that are named; -1 for an id that is none of the n. Ids may be numbers."""
    known = {str(place): place for place in range(n)}
    for item in ids:
        if type(item) not in (str, int):
            raise AnswerError(f"an id must be text or a whole number, got {type(item).__name__}")
    return Ranking(order=np.array([known.get(str(item), -1) for item in ids], dtype=np.int64))


def scores_of(values: Sequence[Any]) -> Ranking:
    """Scores (m,) from JSON numbers; null is NaN."""
    for value in values:
        if type(value) not in (float, int, type(None)):
            raise AnswerError(f"a score must be a number, got {type(value).__name__}")
    return Ranking(scores=np.array(values, dtype=np.float64))
