"""Early exit: a forest in two parts, and a rule by which candidates leave a list between them.

The prefix scores all candidates of a list, the suffix only those that stay. Those that leave keep their partial scores,
moved down together where one would stand above a candidate that stayed: sums over unlike numbers of trees don't
compare. So a score depends on the whole list, and a list must be scored in one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.protocols import Scorer
from harness.ranking_data import Features

META = "early_exit"
FOLDER = "early_exit"
DESCRIPTION = f"{FOLDER}/exit.json"
PREFIX, SUFFIX, CLASSIFIER = (f"{FOLDER}/{part}" for part in ("prefix", "suffix", "classifier"))
STANDING = ("partial_score", "n_better", "share_of_range", "n_candidates")
"""Names of the features that a classifier gets beside the candidate's own."""
_SUMMED = ("loaded_bytes", "load_s", "nodes", "table_bytes", "generate_s", "compile_s", "tolerance")
_Scores = NDArray[np.float32]


class Exit(BaseModel):
    """After `sentinel` trees a candidate stays whose value is at least `cut`.

    The value by `proximity`: its partial score less the `k`-th best one of its list; by `classifier`: what the
    classifier gives. base_score: what the scores of both parts begin with. mean_trees: trees per candidate on valid.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["proximity", "classifier"]
    sentinel: int
    k: int
    cut: float
    base_score: float
    mean_trees: float


class EarlyExitScorer:
    """Scores a candidate list by the parts of a bundle, each opened in the same engine."""

    info: Mapping[str, Any]

    def __init__(self, exits: Exit, prefix: Scorer, suffix: Scorer, classifier: Scorer | None) -> None:
        self._exit, self._prefix, self._suffix, self._classifier = exits, prefix, suffix, classifier
        self._base, self._cut = np.float32(exits.base_score), np.float32(exits.cut)
        self.info = _together([part.info for part in (prefix, suffix, classifier) if part is not None])

    def score(self, x: Features) -> _Scores:
        """Scores (n,) float32 of one candidate list x (n, n_features), float32 or what else the parts take."""
        partial = self._prefix.score(x)
        if not partial.size:
            return partial
        stays = self._values(x, partial) >= self._cut
        rows = np.flatnonzero(stays)
        final = partial[rows] + (self._suffix.score(x[rows]) - self._base)
        return put_behind(partial, stays, final)

    def _values(self, x: Features, partial: _Scores) -> _Scores:
        if self._classifier is None:
            gaps: _Scores = partial - kth_best(partial, self._exit.k)
            return gaps
        return self._classifier.score(np.concatenate([x, standing(partial).astype(x.dtype)], axis=1))


def kth_best(partial: NDArray[Any], k: int) -> Any:
    """The k-th best score of a list, the least where it has fewer."""
    place = max(partial.size - k, 0)
    return np.partition(partial, place)[place]


def standing(partial: _Scores) -> Features:
    """How each candidate stands in its list after the prefix: (n, 4), by the names of STANDING."""
    ascending = np.sort(partial)
    low, high, n = ascending[0], ascending[-1], partial.size
    found = np.empty((n, len(STANDING)), dtype=np.float32)
    found[:, 0] = partial
    found[:, 1] = n - np.searchsorted(ascending, partial, side="right")
    found[:, 2] = (partial - low) / (high - low) if high > low else 1.0
    found[:, 3] = n
    return found


def put_behind(partial: _Scores, stays: NDArray[np.bool_], final: _Scores) -> _Scores:
    """Scores (n,): `final` where a candidate stays, partial ones below all of those elsewhere, in their own order."""
    scores = partial.copy()
    scores[stays] = final
    left = partial[~stays]
    if left.size and final.size:
        ceiling, best = np.nextafter(final.min(), np.float32(-np.inf)), left.max()
        if best > ceiling:
            scores[~stays] = (left - best) + ceiling
    return scores


def _together(infos: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What all parts say alike, sums of what adds up, a fallback of any of them."""
    first, *others = infos
    found = {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}
    for key in _SUMMED:
        if any(key in info for info in infos):
            found[key] = sum(info.get(key, 0) for info in infos)
    for info in infos:
        found |= {key: info[key] for key in ("fallback", "fallback_reason") if key in info}
    return found | {"float64": all(info.get("float64", False) for info in infos), "whole_lists": True}
