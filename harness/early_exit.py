"""Early exit: a forest in parts, and a rule by which candidates leave a list between them.

The first part scores all candidates of a list, each later one only those that stay. Those that leave keep their partial
scores, moved down together where one would stand above a candidate that stayed longer: sums over unlike numbers of
trees don't compare. So a score depends on the whole list, and a list must be scored in one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.protocols import Scorer
from harness.ranking_data import Features

META = "early_exit"
FOLDER = "early_exit"
DESCRIPTION = f"{FOLDER}/exit.json"
STANDING = ("partial_score", "n_better", "below_best", "n_candidates")
"""Names of the features that a classifier gets beside the candidate's own."""
ROUNDING = 2e-5
"""As a share of a list's largest partial score: engines may differ on a candidate whose value is so near to a cut."""
_SUMMED = ("loaded_bytes", "load_s", "nodes", "table_bytes", "generate_s", "compile_s", "tolerance")
_Scores = NDArray[np.float32]


class Exit(BaseModel):
    """After each of `sentinels` trees those candidates stay whose value is at least the cut of the same place.

    The value by `proximity`: a partial score less the `k`-th best one of those that are still there; by `classifier`:
    what the sentinel's classifier gives. base_score: what the scores of every part begin with. mean_trees: trees per
    candidate where the choice was made, those of the classifiers included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rule: Literal["proximity", "classifier"]
    sentinels: tuple[int, ...] = Field(min_length=1)
    k: int = Field(ge=1)
    cuts: tuple[float, ...]
    base_score: float
    mean_trees: float

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not ascending(self.sentinels) or len(self.cuts) != len(self.sentinels):
            raise ValueError(f"has sentinels {self.sentinels} and cuts {self.cuts}")
        if self.rule == "proximity" and max(self.cuts) > 0:
            raise ValueError(f"has cuts above the k-th best: {self.cuts}")
        return self


def ascending(sentinels: Sequence[int]) -> bool:
    """Whether these can be sentinels: from 1 on, each after more trees than the one before."""
    return all(before < after for before, after in pairwise((0, *sentinels)))


def part(index: int) -> str:
    """The folder of the `index`-th part of the forest, within a bundle."""
    return f"{FOLDER}/part-{index}"


def classifier(index: int) -> str:
    """The folder of the classifier at the `index`-th sentinel, within a bundle."""
    return f"{FOLDER}/classifier-{index}"


class EarlyExitScorer:
    """Scores a candidate list by the parts of a bundle, each opened in the same engine."""

    info: Mapping[str, Any]

    def __init__(self, exits: Exit, parts: Sequence[Scorer], classifiers: Sequence[Scorer] = ()) -> None:
        self._k, self._parts, self._classifiers = exits.k, parts, classifiers
        self._base, self._cuts = np.float32(exits.base_score), [np.float32(cut) for cut in exits.cuts]
        self.info = _together([own.info for own in (*parts, *classifiers)])

    def score(self, x: Features) -> _Scores:
        """Scores (n,) float32 of one candidate list x (n, n_features), float32 or what else the parts take."""
        return self._scored(x, 0.0)

    def score_either_way(self, x: Features) -> list[_Scores]:
        """Scores of a list, first by `score`, then as they are where rounding lets more candidates stay, or fewer."""
        return [self._scored(x, shift) for shift in (0.0, -ROUNDING, ROUNDING)]

    def _scored(self, x: Features, shift: float) -> _Scores:
        partial = self._parts[0].score(x)
        scores, n = np.empty_like(partial), partial.size
        rows, left = np.arange(n), []
        for at, cut in enumerate(self._cuts):
            if not partial.size:
                break
            values = self._values(at, x, partial, n)
            stays = values >= (cut + np.float32(shift) * np.abs(partial).max() if shift else cut)
            left.append((rows[~stays], partial[~stays]))
            rows, x, partial = rows[stays], x[stays], partial[stays]
            if partial.size:
                partial = partial + (self._parts[at + 1].score(x) - self._base)
        return put_behind(scores, [*left, (rows, partial)])

    def _values(self, at: int, x: Features, partial: _Scores, n: int) -> _Scores:
        if not self._classifiers:
            gaps: _Scores = partial - kth_best(partial, self._k)
            return gaps
        return self._classifiers[at].score(np.concatenate([x, standing(partial, n).astype(x.dtype)], axis=1))


def kth_best(partial: NDArray[Any], k: int) -> Any:
    """The k-th best score of a list, the least where it has fewer."""
    place = max(partial.size - k, 0)
    return np.partition(partial, place)[place]


def standing(partial: _Scores, n_candidates: int) -> Features:
    """How each candidate that is still there stands in its list of `n_candidates`: (n, 4), by the names of STANDING."""
    ascending, n = np.sort(partial), partial.size
    found = np.empty((n, len(STANDING)), dtype=np.float32)
    found[:, 0] = partial
    found[:, 1] = n - np.searchsorted(ascending, partial, side="right")
    found[:, 2] = ascending[-1] - partial
    found[:, 3] = n_candidates
    return found


def put_behind(scores: _Scores, stages: Sequence[tuple[NDArray[np.intp], _Scores]]) -> _Scores:
    """Write and return scores (n,), of rows stage by stage as they left: below all that stayed longer, in their order.

    Scores that stand below already are kept as they are; others are moved, where float32 may make neighbours equal.
    """
    ceiling = np.float32(np.inf)
    for rows, own in reversed(stages):
        if not rows.size:
            continue
        best = own.max()
        scores[rows] = own if best <= ceiling else (own - best) + ceiling
        ceiling = np.nextafter(scores[rows].min(), np.float32(-np.inf))
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
