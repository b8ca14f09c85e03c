"""Every answer of a load test read and checked: form, scores, and the NDCG of the lists as they were served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import registry
from harness.answers import Answers
from harness.audit.comparison import disagreement, keys_of
from harness.bundle import Bundle
from harness.errors import HarnessError
from harness.ndcg import ndcg_per_group
from harness.protocols import Ranking
from harness.ranking_data import Floats, RankingData
from harness.records import Audit, NdcgSpec
from harness.samples import NO_ANSWER, Samples
from harness.scenario import Choice, options
from harness.scoring import reference_scorer, rightful_scores

MAX_CHECKED = 20_000
"""Distinct answers that are all checked; of more, a seeded sample of this size."""
TOLERANCE = 1e-5
"""For engines that state none, which includes those that define a bundle's scores: a hundred roundings of a float32."""


@dataclass(frozen=True)
class Reference:
    """What a target's answers are compared with: a bundle, and the tolerance that its engine states in `info`.

    An engine that states None, as the fake one does, scores nothing of the bundle, and is not compared.
    """

    bundle: Bundle
    info: Mapping[str, Any]

    @property
    def tolerance(self) -> float | None:
        """A share of the largest score of a list."""
        stated = self.info.get("tolerance", TOLERANCE)
        return None if stated is None else float(stated)


@dataclass(frozen=True)
class _List:
    """One candidate list: the offline scores (n,) that are right, none where there are none, and its grades (n,)."""

    offline: list[NDArray[np.float32]]
    grades: NDArray[np.int32]


def audit(
    target: str,
    adapter: Choice,
    answers: Answers,
    samples: Samples,
    data: RankingData,
    rows: Sequence[NDArray[np.int64]],
    reference: Reference | None,
    ndcg: NdcgSpec,
    seed: int,
) -> Audit:
    """Audit the 2xx answers to one target. `rows[body]` are the rows of `data` that a request body asked to rank."""
    own = samples.where(samples.target == samples.targets.index(target))
    answered = own.where(own.ok)
    kept = answered.answer[answered.answer != NO_ANSWER]
    distinct, n_requests = np.unique(kept, return_counts=True)
    chosen = np.arange(distinct.size)
    if distinct.size > MAX_CHECKED:
        chosen = np.sort(np.random.default_rng(seed).choice(distinct.size, MAX_CHECKED, replace=False))
    compared = reference is not None and reference.tolerance is not None
    reading = _Reading(adapter, answers, data, rows, reference if compared else None, ndcg)
    for index, weight in zip(distinct[chosen].tolist(), n_requests[chosen].tolist(), strict=True):
        reading.add(index, weight)
    return Audit(
        target=target,
        n_answers=len(answered),
        n_distinct=distinct.size,
        n_checked=int(n_requests[chosen].sum()),
        n_not_kept=int((answered.answer == NO_ANSWER).sum()),
        n_redirected=int(((own.status >= 300) & (own.status < 400)).sum()),
        compared_with=reference.bundle.manifest.digest if compared and reference else "",
        tolerance=reference.tolerance if reference else None,
        **reading.figures(),
    )


class _Reading:
    """Goes through answers and adds up what they are worth, each by the number of requests that got it."""

    def __init__(
        self,
        adapter: Choice,
        answers: Answers,
        data: RankingData,
        rows: Sequence[NDArray[np.int64]],
        reference: Reference | None,
        ndcg: NdcgSpec,
    ) -> None:
        self._plugin, self._options = registry.adapter(adapter.kind), options("adapters", adapter)
        self._answers, self._data, self._rows, self._ndcg = answers, data, rows, ndcg
        self._scorer = reference_scorer(reference.bundle) if reference else None
        self._tolerance = (reference.tolerance if reference else None) or 0.0
        self._lists: dict[int, _List] = {}
        self._faults: Counter[str] = Counter()
        self._largest = np.nan
        self._served: list[tuple[float, float, int]] = []
        self._example = ""

    def add(self, index: int, weight: int) -> None:
        """Check one distinct answer that `weight` requests got."""
        body = int(self._answers.body[index])
        candidates = self._list(body)
        n = candidates.grades.size
        try:
            ranking = self._plugin.decode(self._options, self._answers.headers(index), self._answers.blobs[index], n)
        except HarnessError as error:
            self._blame("malformed", weight, f"request body {body}: {error.what}")
            return
        fault = ranking.fault(n)
        if fault is not None:
            self._blame(fault, weight, f"request body {body}: {n} candidates, {_said(ranking)}")
            return
        if candidates.offline:
            difference = min(disagreement(ranking, own) for own in candidates.offline)
            self._largest = float(np.fmax(self._largest, difference))
            if difference > self._tolerance:
                self._blame("different", weight, f"request body {body}: off by {difference:.3g} of the largest score")
        self._served.append((*self._qualities(ranking, candidates), weight))

    def figures(self) -> dict[str, Any]:
        """The counts and means, by the names of `Audit`."""
        names = ("malformed", "wrong-length", "not-finite", "not-a-permutation", "different")
        served, offline, weights = np.array(self._served, dtype=np.float64).reshape(-1, 3).T
        return {
            **{f"n_{name.replace('-', '_')}": self._faults[name] for name in names},
            "largest_difference": self._largest,
            "ndcg_served": _mean(served, weights),
            "ndcg_offline": _mean(offline, weights),
            "example": self._example,
        }

    def _blame(self, fault: str, weight: int, example: str) -> None:
        self._faults[fault] += weight
        self._example = self._example or example

    def _list(self, body: int) -> _List:
        if body not in self._lists:
            rows = self._rows[body]
            offline = []
            if self._scorer is not None:
                offline = rightful_scores(self._scorer, np.ascontiguousarray(self._data.features[rows]))
            self._lists[body] = _List(offline, self._data.grades[rows])
        return self._lists[body]

    def _qualities(self, ranking: Ranking, candidates: _List) -> tuple[float, float]:
        """NDCG as served and as scored offline; NaN where no grade is above 0, or nothing was scored."""
        if not candidates.grades.any():
            return np.nan, np.nan
        sizes = np.array([candidates.grades.size])

        def quality(scores: NDArray[Any]) -> float:
            return float(ndcg_per_group(scores, candidates.grades, sizes, self._ndcg)[0])

        offline = quality(candidates.offline[0]) if candidates.offline else np.nan
        return quality(keys_of(ranking)), offline


def _said(ranking: Ranking) -> str:
    if ranking.order is not None:
        return f"{ranking.order.size} ids"
    return f"{0 if ranking.scores is None else ranking.scores.size} scores"


def _mean(values: Floats, weights: Floats) -> float:
    known = ~np.isnan(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else float("nan")
