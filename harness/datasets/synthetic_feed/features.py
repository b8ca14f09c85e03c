"""What a ranker gets to see: noisy views of the signals, in the kinds that a feature store holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.datasets.synthetic_feed.world import N_CONTEXT, N_SIGNALS, Requests
from harness.ranking_data import Features

_PER_QUERY_SHARE = 0.1
_FAITHFUL = ("heavy", "count", "unit", "gap")
_KINDS = ("heavy", "sparse", "count", "binary", "unit", "gap")
_VIEW_NOISE = (0.0, 0.3, 0.6, 1.0)


def _gap(view: Features, rng: np.random.Generator) -> Features:
    """Missing not at random: the lower the value, the likelier it was never recorded."""
    missing = rng.random(view.shape[0], np.float32) > _logistic(2 + 2 * view)
    return np.where(missing, np.float32(np.nan), view)


def _logistic(x: Features) -> Features:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


_OBSERVE: dict[str, Callable[[Features, np.random.Generator], Features]] = {
    "heavy": lambda view, _: np.exp(1.5 * view),
    "sparse": lambda view, _: np.maximum(np.expm1(view - 0.5), 0),
    "count": lambda view, _: np.floor(4 * np.log1p(np.exp(1.5 * view))),
    "binary": lambda view, _: (view > 0.7).astype(np.float32),
    "unit": lambda view, _: _logistic(2 * view),
    "gap": _gap,
}


def feature_names(n_features: int) -> tuple[str, ...]:
    """Names `KIND_NNN`, or `query_KIND_NNN` for features that are constant per query; those stand at the end."""
    n_per_query = max(round(_PER_QUERY_SHARE * n_features), 1)
    n_views = n_features - n_per_query
    names = []
    for column in range(n_views):
        turn = column // N_SIGNALS
        kinds = _FAITHFUL if turn == 0 else _KINDS
        names.append(f"{kinds[(column + turn) % len(kinds)]}_{column:03}")
    for column in range(n_views, n_features):
        names.append(f"query_{_FAITHFUL[column % len(_FAITHFUL)]}_{column:03}")
    return tuple(names)


def observe(requests: Requests, names: tuple[str, ...], world_seed: int) -> Features:
    """Features (n_rows, len(names)) float32, NaN where a value is missing."""
    rng = requests.rng
    shown = np.random.default_rng((world_seed, 3)).permutation(N_SIGNALS)
    features = np.empty((requests.signals.shape[0], len(names)), np.float32)
    group = requests.group
    for column, name in enumerate(names):
        kind = name.split("_")[-2]
        if name.startswith("query_"):
            view = requests.context[:, column % N_CONTEXT]
            features[:, column] = _OBSERVE[kind](view, rng)[group]
            continue
        noise = np.float32(_VIEW_NOISE[min(column // N_SIGNALS, len(_VIEW_NOISE) - 1)])
        view = requests.signals[:, shown[column % N_SIGNALS]]
        if noise:
            view = (view + noise * rng.standard_normal(view.shape[0], np.float32)) / np.sqrt(1 + noise * noise)
        features[:, column] = _OBSERVE[kind](view, rng)
    return features
