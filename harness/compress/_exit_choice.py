"""Where candidates leave a forest early, and by which cuts: searched on valid for the least work per list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from functools import partial as bound
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.compress._gate import MAX_ROWS, smallest
from harness.ndcg import ndcg, quality_drop
from harness.ranking_data import Floats, RankingData
from harness.records import NdcgSpec
from harness.trees.forest import Forest
from harness.trees.traverse import leaf_index

CALL_TREES = 700.0
"""What one more call of an engine costs, in trees that a candidate goes through; bitblend makes none, gtil's cost less.

LightGBM's predict takes 70 us for no tree at all and 0.1 us for each tree of a candidate, on an AMD EPYC.
"""

Kept = NDArray[np.bool_]


@dataclass(frozen=True)
class Partials:
    """Scores of the rows of `data` after some numbers of trees, (n_rows,) each, and those of the whole forest."""

    data: RankingData
    partial: dict[int, Floats]
    final: Floats

    @cached_property
    def descending(self) -> dict[int, NDArray[np.intp]]:
        """By sentinel, (n_rows,) rows group by group, each from the best partial score down."""
        return {sentinel: np.lexsort((-own, self.data.group_of_row)) for sentinel, own in self.partial.items()}

    def of_groups(self, groups: NDArray[np.int64]) -> Partials:
        """The same of some query groups."""
        rows = np.flatnonzero(np.isin(self.data.group_of_row, groups))
        partial = {sentinel: own[rows] for sentinel, own in self.partial.items()}
        return Partials(self.data.take_groups(groups), partial, self.final[rows])


class Way(Protocol):
    """A way to decide who stays, but for how strict it is: the greater the cut, the fewer stay.

    rule_trees: trees of each sentinel's classifier. tries: cuts worth trying, in descending order.
    """

    @property
    def sentinels(self) -> tuple[int, ...]: ...
    @property
    def k(self) -> int: ...
    @property
    def rule_trees(self) -> int: ...
    @property
    def tries(self) -> Sequence[float]: ...

    def kept(self, cut: float) -> list[Kept]:
        """Of every sentinel, which rows (n_rows,) go on behind it."""
        ...

    def cuts(self, cut: float) -> tuple[float, ...]:
        """Of every sentinel, the least value that stays, as `harness.early_exit` compares it."""
        ...


@dataclass(frozen=True)
class Chosen:
    """A way with its cut, and the trees per candidate that it comes to, those of classifiers included.

    Counted on the query groups that the choice is made on.
    """

    sentinels: tuple[int, ...]
    k: int
    cuts: tuple[float, ...]
    mean_trees: float


@dataclass(frozen=True)
class Everyone:
    """Why all candidates stay, and whether it is that no cut stays within the gate."""

    reason: str
    gate_missed: bool


def partials(forest: Forest, split: RankingData, sentinels: Iterable[int]) -> Partials:
    """Partial scores of a split, thinned to about 100,000 rows in evenly spaced query groups."""
    data, wanted = split.thinned(MAX_ROWS), set(sentinels)
    columns, total = np.asfortranarray(data.features), np.full(data.n_rows, forest.base_score)
    found = {}
    for n_trees, tree in enumerate(forest.trees, start=1):
        total += tree.value[leaf_index(tree, columns, forest.operator)]
        if n_trees in wanted:
            found[n_trees] = total.copy()
    return Partials(data, found, total)


class ExitGate:
    """What leaving early costs on some query groups: NDCG at its 95 % bound, and work."""

    def __init__(self, partials: Partials, n_trees: int, spec: NdcgSpec) -> None:
        self._partials, self._n_trees, self._spec = partials, n_trees, spec
        self._base = ndcg(partials.final, partials.data, spec)

    def chosen(self, way: Way, cut: float) -> Chosen:
        """A way as it would be served."""
        there = [1.0, *(float(kept.mean()) for kept in way.kept(cut))]
        trees = np.diff([0, *way.sentinels, self._n_trees])
        rules = way.rule_trees * sum(there[:-1])
        return Chosen(way.sentinels, way.k, way.cuts(cut), rules + float(np.dot(there, trees)))

    def drop_upper(self, way: Way, cut: float) -> float:
        """The bound on the NDCG lost, ranked as it is served: those that leave behind all that stay longer."""
        ranked = self._partials.final.copy()
        floor, stages = ranked.min() - 1.0, [np.ones(ranked.size, dtype=bool), *way.kept(cut)]
        for sentinel, (before, after) in reversed(list(zip(way.sentinels, pairwise(stages), strict=True))):
            left = before & ~after
            if left.any():
                own = self._partials.partial[sentinel][left]
                ranked[left] = own - own.max() + floor
                floor = ranked[left].min() - 1.0
        return quality_drop(self._base, ndcg(ranked, self._partials.data, self._spec)).drop_upper

    def least(self, ways: Sequence[Way], cut: float | None, max_drop: float) -> Chosen | Everyone:
        """The way, and cut (the given one, or the best of its own), with the least work within `max_drop`.

        Everyone stays where that saves no work over all candidates going through all trees in one call.
        """
        best: Chosen | None = None
        least = self._n_trees + self._calls(1)
        for way in ways:
            tries = way.tries if cut is None else [cut]
            calls = self._calls(1 + len(way.sentinels) * (2 if way.rule_trees else 1))
            cheaper = smallest(0, len(tries), bound(self._costs_as_much, way, tries, least - calls))
            if cheaper == 0 or self.drop_upper(way, tries[cheaper - 1]) > max_drop:
                continue
            place = smallest(0, cheaper - 1, bound(self._meets, way, tries, max_drop))
            best = self.chosen(way, tries[place])
            least = best.mean_trees + calls
        return best or self._why_none(ways, cut, max_drop)

    def _why_none(self, ways: Sequence[Way], cut: float | None, max_drop: float) -> Everyone:
        if all(self.drop_upper(way, way.tries[-1] if cut is None else cut) > max_drop for way in ways):
            return Everyone(f"no cut keeps the NDCG lost on valid within {max_drop:g}, at the 95 % bound", True)
        call = (
            f"each part of the forest is a call of its own, which costs as much as {CALL_TREES:g} trees of a candidate"
        )
        return Everyone(f"leaving early saves nothing within {max_drop:g} NDCG on valid ({call})", False)

    def _calls(self, n_calls: int) -> float:
        """Calls for a list, in trees for each of its candidates."""
        return n_calls * CALL_TREES * self._partials.data.n_groups / self._partials.data.n_rows

    def _costs_as_much(self, way: Way, cuts: Sequence[float], most: float, place: int) -> bool:
        return self.chosen(way, cuts[place]).mean_trees >= most

    def _meets(self, way: Way, cuts: Sequence[float], max_drop: float, place: int) -> bool:
        return self.drop_upper(way, cuts[place]) <= max_drop
