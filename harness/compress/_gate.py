"""The quality gate of tree methods: what a smaller forest costs on the valid split, with its bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.ndcg import ndcg, quality_drop
from harness.ranking_data import Floats, RankingData
from harness.records import NdcgSpec
from harness.trees.pruning.sampled import said

if TYPE_CHECKING:
    from harness.trees.forest import Forest

MAX_ROWS = 100_000
"""Rows of valid that a gate looks at, about."""


class Gate:
    """Compares forests that differ from `forest` in leaf values or in how many of its trees they keep.

    Which leaf a row reaches is found once; after that each forest costs one sum per row. Very large splits are
    thinned to evenly spaced query groups. ModelError where grades can't tell one forest from another.
    """

    def __init__(self, forest: Forest, valid: RankingData, spec: NdcgSpec) -> None:
        from harness.ndcg import check_contrast
        from harness.trees.traverse import leaf_indices

        check_contrast(valid)
        self._data = valid.thinned(MAX_ROWS)
        self._spec = spec
        self._leaves = leaf_indices(forest, self._data.features)
        self._base = self._ndcg([tree.value for tree in forest.trees])

    def drop_upper(self, values: Sequence[Floats]) -> float:
        """One-sided 95 % bound on the NDCG lost against the whole forest.

        `values` holds, for each of the first trees, what its leaves give, by node index.
        """
        return quality_drop(self._base, self._ndcg(values)).drop_upper

    def _ndcg(self, values: Sequence[Floats]) -> Floats:
        scores = np.zeros(self._data.n_rows)
        for leaf, value in zip(self._leaves, values, strict=False):
            scores += value[leaf]
        return ndcg(scores, self._data, self._spec)


def gate_notes(max_drop: float | None, valid: RankingData) -> list[str]:
    """What a ledger says of a gate that did not look at all of valid."""
    looked = valid.thinned(MAX_ROWS)
    if max_drop is None or looked is valid:
        return []
    return [f"max_drop met on {said(looked.n_groups, valid.n_groups, 'query groups of valid')}"]


def smallest(low: int, high: int, meets: Callable[[int], bool]) -> int:
    """The smallest number in low..high that meets a condition which `high` meets, by bisection.

    Quality rises with size, but not at every single step: the answer meets the condition and the number below it does
    not, and there may be a smaller one that does by luck.
    """
    while low < high:
        middle = (low + high) // 2
        if meets(middle):
            high = middle
        else:
            low = middle + 1
    return high
