"""The thresholds of each feature as C tables: edges of a quantised compile's bins."""

from __future__ import annotations

import math
from collections.abc import Container

import numpy as np

from harness.ranking_data import Floats


def c_tables(thresholds: list[Floats], categorical: Container[int]) -> list[str]:
    """C for `edges`, all features' thresholds on end, `edges_begin`, where each feature's start, and `by_category`.

    TL2cgen writes such a table too, but prints float32 with eight digits where nine are needed, so that one threshold
    in two hundred is off by its last bit; these are hexadecimal and exact.
    """
    begin = np.concatenate([[0], np.cumsum([values.size for values in thresholds])])
    edges = [_literal(value) for values in thresholds for value in values.tolist()] or ["0"]
    return [
        f"static const value_t edges[] = {{{', '.join(edges)}}};",
        f"static const int edges_begin[] = {{{', '.join(map(str, begin.tolist()))}}};",
        "static const unsigned char by_category[] = "
        f"{{{', '.join(str(int(feature in categorical)) for feature in range(len(thresholds)))}}};",
    ]


def _literal(value: float) -> str:
    return value.hex() if math.isfinite(value) else f"{'-' if value < 0 else ''}INFINITY"
