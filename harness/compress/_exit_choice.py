"""Where candidates leave a forest early, and by which value: searched on valid for the fewest trees per candidate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial as bound

import numpy as np
from numpy.typing import NDArray

from harness.compress._gate import MAX_ROWS, smallest
from harness.early_exit import kth_best
from harness.ndcg import ndcg, quality_drop
from harness.ranking_data import Floats, RankingData
from harness.records import NdcgSpec
from harness.trees.forest import Forest
from harness.trees.traverse import leaf_index

_SHARES = np.arange(0.05, 1.0, 0.05)
_CLEAR = 1e-5
"""A cut stands so far below the value of a candidate, as a share of their spread: engines round apart."""


@dataclass(frozen=True)
class Partials:
    """Scores of the rows of `data` after some numbers of trees: partial (n_sentinels, n_rows), and final (n_rows,)."""

    data: RankingData
    sentinels: tuple[int, ...]
    partial: Floats
    final: Floats

    def of_groups(self, groups: NDArray[np.int64]) -> Partials:
        """The same of some query groups."""
        rows = np.flatnonzero(np.isin(self.data.group_of_row, groups))
        return Partials(self.data.take_groups(groups), self.sentinels, self.partial[:, rows], self.final[rows])

    def gaps(self, at: int, k: int) -> Floats:
        """(n_rows,) partial score at the `at`-th sentinel, less the k-th best one of the query group."""
        partial = self.partial[at]
        best = np.array([kth_best(partial[self.data.rows_of(group)], k) for group in range(self.data.n_groups)])
        gaps: Floats = partial - best[self.data.group_of_row]
        return gaps


@dataclass(frozen=True)
class Way:
    """A way to decide: a sentinel (its place and its number of trees), k, and the value (n_rows,) of every candidate.

    rule_trees: trees that finding the value takes.
    """

    at: int
    sentinel: int
    k: int
    value: Floats
    rule_trees: int = 0


@dataclass(frozen=True)
class Chosen:
    """A way, the cut on its value, and the trees per candidate that it comes to."""

    way: Way
    cut: float
    mean_trees: float


def partials(forest: Forest, split: RankingData, sentinels: Sequence[int]) -> Partials:
    """Partial scores of a split, thinned to about 100,000 rows in evenly spaced query groups."""
    data = split.thinned(MAX_ROWS)
    columns, total = np.asfortranarray(data.features), np.full(data.n_rows, forest.base_score)
    found = {}
    for n_trees, tree in enumerate(forest.trees, start=1):
        total += tree.value[leaf_index(tree, columns, forest.operator)]
        if n_trees in sentinels:
            found[n_trees] = total.copy()
    return Partials(data, tuple(sentinels), np.stack([found[n] for n in sentinels]), total)


class ExitGate:
    """What leaving early costs on some query groups, in NDCG at its 95 % bound and in trees."""

    def __init__(self, partials: Partials, n_trees: int, spec: NdcgSpec) -> None:
        self._partials, self._n_trees, self._spec = partials, n_trees, spec
        self._base = ndcg(partials.final, partials.data, spec)

    def mean_trees(self, way: Way, cut: float) -> float:
        """Trees per candidate, those of the rule included."""
        staying = float(np.mean(way.value >= cut))
        return way.rule_trees + way.sentinel + staying * (self._n_trees - way.sentinel)

    def drop_upper(self, way: Way, cut: float) -> float:
        """The bound on the NDCG lost, ranked as it is served: those that leave behind all that stay."""
        partial, final = self._partials.partial[way.at], self._partials.final
        behind = partial - partial.max() + final.min() - 1.0
        ranked = np.where(way.value >= cut, final, behind)
        return quality_drop(self._base, ndcg(ranked, self._partials.data, self._spec)).drop_upper

    def fewest(self, ways: Iterable[Way], cut: float | None, highest: float, max_drop: float) -> Chosen | None:
        """The way and cut with the fewest trees per candidate within `max_drop`; None where none saves any.

        Cuts are tried at each twentieth of the candidates staying, and at `highest`, which none exceeds; or `cut`.
        """
        best, fewest = None, float(self._n_trees)
        for way in ways:
            cuts = _cuts(way.value, highest) if cut is None else [cut]
            costs = [self.mean_trees(way, one) for one in cuts]
            worth = [one for one, cost in zip(cuts, costs, strict=True) if cost < fewest]
            if not worth or self.drop_upper(way, worth[-1]) > max_drop:
                continue
            place = smallest(0, len(worth) - 1, bound(self._meets, way, worth, max_drop))
            best, fewest = Chosen(way, worth[place], self.mean_trees(way, worth[place])), costs[place]
        return best

    def _meets(self, way: Way, cuts: Sequence[float], max_drop: float, place: int) -> bool:
        return self.drop_upper(way, cuts[place]) <= max_drop


def _cuts(value: Floats, highest: float) -> list[float]:
    """Cuts in descending order, the more candidates stay the later."""
    places = np.quantile(value, 1.0 - _SHARES, method="higher") - _CLEAR * float(value.std())
    return sorted({*np.minimum(places, highest).tolist()}, reverse=True)
