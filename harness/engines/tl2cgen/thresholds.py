"""The thresholds of each feature: edges of a quantised compile's bins, and places where a check has to look."""

from __future__ import annotations

import math
from collections.abc import Container

import numpy as np

from harness.ranking_data import Floats
from harness.trees.forest import Forest


def thresholds_of(forest: Forest) -> list[Floats]:
    """Distinct thresholds of each feature, ascending; an empty array for a feature that no tree reads."""
    feature = np.concatenate([tree.feature[tree.is_numerical] for tree in forest.trees])
    value = np.concatenate([tree.threshold[tree.is_numerical] for tree in forest.trees])
    order = np.lexsort((value, feature))
    bounds = np.searchsorted(feature[order], np.arange(1, forest.n_features))
    return [np.unique(values) for values in np.split(value[order], bounds)]


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
