"""Calibration: the range of every layer's input over whole query groups, for kernels with fixed integer activations."""

from __future__ import annotations

import numpy as np

from harness.mlp.model import Grid, MlpModel
from harness.mlp.transform import Transformer
from harness.ranking_data import RankingData

_MOST_ROWS = 16_384

Ranges = tuple[tuple[float, float], ...]
"""Smallest and largest input of each layer, the output layer's last; 0 always lies between them."""


def activation_ranges(model: MlpModel, data: RankingData) -> Ranges:
    """The ranges over as many of the first query groups as stay within 16,384 rows, one group at least.

    Groups are taken whole: what candidates of one query have in common, such as features of the query, spans less than
    a sample of rows from all of them seems to say.
    """
    n_groups = max(1, int(np.searchsorted(data.offsets, _MOST_ROWS, side="right")) - 1)
    values = Transformer(model.transform)(data.features[: data.offsets[n_groups]]).numpy()
    ranges = [_range(values)]
    for layer in model.layers[:-1]:
        values = np.maximum(values @ layer.weight.T + layer.bias, 0)
        ranges.append(_range(values))
    return tuple(ranges)


def grids_over(ranges: Ranges) -> tuple[Grid, ...]:
    """The finest grids that hold those ranges."""
    return tuple(Grid.over(float(low), float(high)) for low, high in ranges)


def _range(values: np.ndarray) -> tuple[float, float]:
    return min(0.0, float(values.min())), max(0.0, float(values.max()))
