"""The two rules of an early exit, as the search sees them: who goes on behind each sentinel, given one cut for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.compress._exit_choice import Kept, Partials
from harness.compress._exit_classifier import judged
from harness.ranking_data import Floats
from harness.trees.forest import Forest

_MARGINS = np.arange(0.0, 4.0, 0.02)
_SHARES = np.arange(0.05, 1.0, 0.05)
_CLEAR = 1e-5
"""A cut stands so far below the value of a candidate, as a share of their spread: engines round apart."""


@dataclass(frozen=True)
class Proximity:
    """Those stay whose partial score is near the k-th best of those still there.

    A cut is in standard deviations, over the candidates of a list, of what the trees behind a sentinel add: far from
    the end of the forest a partial score says less, so candidates are given more room there.
    """

    partials: Partials
    sentinels: tuple[int, ...]
    k: int
    rule_trees: int = 0

    @property
    def tries(self) -> Sequence[float]:
        """Margins up to four deviations, the least first."""
        return [-float(margin) for margin in _MARGINS]

    @cached_property
    def _deviations(self) -> list[float]:
        data, final = self.partials.data, self.partials.final
        found = []
        for sentinel in self.sentinels:
            added = final - self.partials.partial[sentinel]
            means = np.bincount(data.group_of_row, added) / data.group_sizes
            found.append(float((added - means[data.group_of_row]).std()))
        return found

    def cuts(self, cut: float) -> tuple[float, ...]:
        """In units of scores."""
        return tuple(cut * deviation for deviation in self._deviations)

    def kept(self, cut: float) -> list[Kept]:
        """Sentinel by sentinel, among those that the one before kept; no cut above 0 makes sense."""
        group, there = self.partials.data.group_of_row, np.ones(self.partials.final.size, dtype=bool)
        found = []
        for sentinel, least in zip(self.sentinels, self.cuts(cut), strict=True):
            partial = self.partials.partial[sentinel]
            there = there & (partial >= self._kth_best(sentinel, there)[group] + least)
            found.append(there)
        return found

    def _kth_best(self, sentinel: int, there: Kept) -> Floats:
        """(n_groups,) the k-th best partial score of those that are there, the least of a group where it has fewer."""
        data, order = self.partials.data, self.partials.descending[sentinel]
        before = np.concatenate([[0], np.cumsum(there[order])])
        first, end = before[data.offsets[:-1]], before[data.offsets[1:]]
        rows = order[there[order]]
        best: Floats = self.partials.partial[sentinel][rows[np.minimum(first + self.k, end) - 1]]
        return best


@dataclass(frozen=True)
class Classified:
    """Those stay that the classifier of a sentinel expects among the k best; a cut is what it has to give."""

    partials: Partials
    sentinels: tuple[int, ...]
    k: int
    classifiers: Sequence[Forest]

    @property
    def rule_trees(self) -> int:
        """Trees of each classifier."""
        return len(self.classifiers[0].trees)

    @cached_property
    def _first(self) -> Floats:
        everyone = np.ones(self.partials.final.size, dtype=bool)
        return judged(self.classifiers[0], self.partials, self.sentinels[0], everyone)

    @property
    def tries(self) -> Sequence[float]:
        """Cuts at each twentieth of the candidates staying at the first sentinel."""
        places = np.quantile(self._first, 1.0 - _SHARES, method="higher") - _CLEAR * float(self._first.std())
        return sorted(set(places.tolist()), reverse=True)

    def cuts(self, cut: float) -> tuple[float, ...]:
        """The same for every classifier: all of them give a share."""
        return (cut,) * len(self.sentinels)

    def kept(self, cut: float) -> list[Kept]:
        """Sentinel by sentinel, each classifier told how a candidate stands among those that are still there."""
        there = self._first >= cut
        found = [there]
        for sentinel, classifier in zip(self.sentinels[1:], self.classifiers[1:], strict=True):
            there = there.copy()
            if there.any():
                there[there] = judged(classifier, self.partials, sentinel, there) >= cut
            found.append(there)
        return found
