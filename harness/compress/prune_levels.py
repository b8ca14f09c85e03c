"""Prune subtrees level by level from the roots down, scaling and shifting what stays towards the teacher's scores.

LOP for rankers: `harness.trees.pruning.level_pruning` says how. It learns from the teacher's scores of train. With
`pair_weight`, a candidate weighs more the more NDCG swaps of its place in the teacher's ranking would cost: an
approximation by documents of a loss over pairs weighted by |delta NDCG|. Even weights are the default because they lost
less NDCG at equal size on the made-up feed (50,000 rows of train) and as little on Yandex LETOR; the pairwise quadratic
form itself lay between the two, at three times the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from harness.bundle import Draft
from harness.compress._gate import Gate, gate_notes, smallest
from harness.compress._size_options import SizeOptions, refuses_all_but_trees
from harness.protocols import Compression
from harness.ranking_data import Floats, RankingData
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.trees.pruning.level_pruning import LevelPruning, Pruned

_CELLS = 20_000_000  # rows x trees that are looked at
_STRIDE = 32  # strengths
_STRENGTHS = np.concatenate([[0.0], np.geomspace(1e-8, 1e-1, 254), [np.inf]])


class Options(SizeOptions):
    """Exactly one of `keep` (a share of the nodes), `max_nodes` and `max_drop`; each finds the L1 strength."""

    pair_weight: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of a candidate's weight that is its |delta NDCG|, summed over pairs; the rest is even",
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees."""
    return refuses_all_but_trees(manifest)


def apply(options: Options, work: Compression) -> Draft:
    """Write the forest pruned at the weakest strength that meets the budget, or the strongest within the gate."""
    from harness.scoring import score
    from harness.trees import artefacts
    from harness.trees.pruning.level_pruning import Goal, LevelPruning
    from harness.trees.pruning.sampled import said
    from harness.trees.traverse import leaf_indices

    forest = artefacts.load(work.bundle)
    train = work.splits.train.thinned(max(1, _CELLS // len(forest.trees)))
    scores = score(work.teacher, train.features).astype(np.float64)
    goal = Goal(scores, _weights(options, scores, train, work.ndcg.k), train.offsets)
    pruning = LevelPruning(forest, leaf_indices(forest, train.features), goal)
    strength, pruned = _search(options, pruning, work)
    smaller = pruned.forest()
    sample = said(train.n_rows, work.splits.train.n_rows, "rows of train")
    note = f"L1 strength {strength:.2g}, fitted to the teacher's scores on {sample}"
    return artefacts.save_like(
        smaller, work.out, work.bundle, meta={"notes": [note, *gate_notes(options.max_drop, work.splits.valid)]}
    )


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """Truncation to as many nodes."""
    return {"kind": "truncate", "max_nodes": after.size.n_nodes}


def _weights(options: Options, scores: Floats, train: RankingData, k: int) -> Floats:
    from harness.trees.pruning.pair_weights import pair_weights

    even = np.ones(train.n_rows)
    if options.pair_weight == 0:
        return even
    paired = pair_weights(scores, train, k)
    return (1 - options.pair_weight) * even + options.pair_weight * paired / max(float(paired.mean()), 1e-300)


def _search(options: Options, pruning: LevelPruning, work: Compression) -> tuple[float, Pruned]:
    tried: dict[int, Pruned] = {}

    def at(index: int) -> Pruned:
        if index not in tried:
            tried[index] = pruning.at(float(_STRENGTHS[index]))
            work.progress(f"prune_levels: strength {_STRENGTHS[index]:.2g}, {tried[index].n_nodes} nodes")
        return tried[index]

    if options.max_drop is not None:
        max_drop, gate = options.max_drop, Gate(pruning.forest, work.splits.valid, work.ndcg)
        index = _first(lambda index: gate.drop_upper(at(index).values) > max_drop) - 1
    else:
        budget = options.max_nodes or max(1, round((options.keep or 1.0) * pruning.forest.n_nodes))
        index = _first(lambda index: at(index).n_nodes <= budget)
    return float(_STRENGTHS[index]), at(index)


def _first(strong: Callable[[int], bool]) -> int:
    """The weakest of the strengths that are `strong`, sought from the strong end, where a look is cheap."""
    high = _STRENGTHS.size
    while high > 0 and strong(max(high - _STRIDE, 0)):
        high = max(high - _STRIDE, 0)
    return smallest(max(high - _STRIDE, 0), high, strong)
