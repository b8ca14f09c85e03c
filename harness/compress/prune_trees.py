"""Remove whole trees and re-weight the rest, to a number of trees, a share, a node budget or a quality gate.

CLEaVER (Lucchese, Nardini, Orlando, Perego, Silvestri and Trani, "Post-learning optimization of tree ensembles for
efficient ranking", SIGIR 2016): a strategy says which trees go (`harness.trees.pruning.tree_selection`), then the
weights of those that stay are searched anew (`harness.trees.pruning.tree_weights`) and multiplied into their leaves.
Strategies look at `valid`, weights are fitted on `train` and chosen on `valid`. As trees and weights are chosen there,
the gate's bound is a little optimistic; the verdict on `test` is not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from harness.bundle import Draft
from harness.compress._gate import smallest
from harness.compress._size_options import SizeOptions, refuses_all_but_trees
from harness.ndcg import ndcg, quality_drop
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.ranking_data import Floats
    from harness.records import NdcgSpec
    from harness.trees.forest import Forest
    from harness.trees.pruning.tree_scores import TreeScores
    from harness.trees.pruning.tree_selection import Selection


class Options(SizeOptions):
    """A size, by exactly one of `keep` (share of trees), `max_trees`, `max_nodes`, `max_drop`; and how to get there."""

    max_trees: int | None = Field(default=None, ge=1, description="most trees")
    strategy: Literal[
        "ridge_loss", "quality_loss_greedy", "quality_loss", "score_loss", "low_weights", "skip", "last", "random"
    ] = Field(
        default="ridge_loss",
        description="which trees go: ridge_loss, those that the others replace best once re-weighted; CLEaVER's"
        " quality_loss(_greedy), those without which NDCG is best; score_loss, those that move scores least;"
        " low_weights, those a line search weighs least; skip, evenly spaced ones; last; random",
    )
    reweight: Literal["none", "ridge", "ridge+line_search"] = Field(
        default="ridge+line_search",
        description="weights of the trees that stay: as they are; by ridge regression; by a search for NDCG from there",
    )
    seed: int = Field(default=1, ge=0, description="seed of the strategy random")


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on ensembles of at least two trees, and keeps no more than there are."""
    if reason := refuses_all_but_trees(manifest):
        return reason
    n_trees = manifest.size.n_trees
    if n_trees == 1:
        return "the model has one tree, so there is none to prune; prune_leaves can make it smaller"
    if options.max_trees is not None and options.max_trees > n_trees:
        return f"max_trees is {options.max_trees}, the model has {n_trees} trees"
    return ""


def apply(options: Options, work: Compression) -> Draft:
    """Write the pruned forest."""
    from harness.ndcg import check_contrast
    from harness.trees import artefacts
    from harness.trees.pruning.tree_scores import tree_scores
    from harness.trees.pruning.tree_selection import select

    for split in (work.splits.train, work.splits.valid):
        check_contrast(split)
    forest = artefacts.load(work.bundle)
    work.progress(f"prune_trees: scores of {len(forest.trees)} trees")
    train, valid = (tree_scores(forest, split, work.ndcg.k) for split in (work.splits.train, work.splits.valid))
    notes = [f"prune_trees looked at {scores.note}" for scores in (train, valid) if scores.note]
    work.progress(f"prune_trees: strategy {options.strategy}")
    pruning = _Pruning(options, work.ndcg, train, valid, select(options.strategy, valid, options.seed))
    n_trees = _n_trees(options, forest, pruning)
    if options.max_drop is not None and n_trees == len(forest.trees):
        trees, weights = np.arange(n_trees), np.ones(n_trees)
        notes.append(f"no fewer trees keep the NDCG lost on valid within {options.max_drop:g}: the model is unpruned")
    else:
        work.progress(f"prune_trees: weights of {n_trees} trees")
        trees, weights = pruning.final(n_trees)
    for note in notes:
        work.progress(note)
    kept = [forest.trees[tree] for tree in trees.tolist()]
    weighted = tuple(replace(tree, value=tree.value * weight) for tree, weight in zip(kept, weights, strict=True))
    work.progress(f"prune_trees: {n_trees} of {len(forest.trees)} trees")
    meta = {"notes": notes} if notes else {}
    return artefacts.save_like(forest.with_trees(weighted), work.out, work.bundle, meta=meta)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """Truncation to as many trees; None where the step is just that."""
    if options.strategy == "last" and options.reweight == "none":
        return None
    return {"kind": "truncate", "keep_trees": after.size.n_trees}


class _Pruning:
    """Trees and weights for any number of trees."""

    def __init__(
        self, options: Options, spec: NdcgSpec, train: TreeScores, valid: TreeScores, selection: Selection
    ) -> None:
        self._options, self._spec, self._train, self._valid, self._selection = options, spec, train, valid, selection
        self._base = ndcg(valid.total, valid.data, spec)

    def trees(self, n: int) -> NDArray[np.intp]:
        return self._selection.keep(n)

    def meets_gate(self, n: int) -> bool:
        trees = self.trees(n)
        pruned = self._ndcg(trees, self._quick_weights(trees))
        return quality_drop(self._base, pruned).drop_upper <= (self._options.max_drop or 0.0)

    def final(self, n: int) -> tuple[NDArray[np.intp], Floats]:
        """The trees and their weights; a search is followed where its gain on valid is clear and the gate still met."""
        from harness.trees.pruning.tree_weights import searched

        trees = self.trees(n)
        quick = self._quick_weights(trees)
        if self._options.reweight != "ridge+line_search":
            return trees, quick
        weights = searched(self._train, self._valid, trees, quick)
        found = self._ndcg(trees, weights)
        clear = quality_drop(self._ndcg(trees, quick), found).drop_upper < 0
        gate = self._options.max_drop
        meets = gate is None or quality_drop(self._base, found).drop_upper <= gate
        return trees, weights if clear and meets else quick

    def _quick_weights(self, trees: NDArray[np.intp]) -> Floats:
        from harness.trees.pruning.tree_weights import best_ridge

        return np.ones(trees.size) if self._options.reweight == "none" else best_ridge(self._train, self._valid, trees)

    def _ndcg(self, trees: NDArray[np.intp], weights: Floats) -> Floats:
        return ndcg(self._valid.weighted(weights, trees), self._valid.data, self._spec)


def _n_trees(options: Options, forest: Forest, pruning: _Pruning) -> int:
    total = len(forest.trees)
    if options.max_trees is not None:
        return options.max_trees
    if options.keep is not None:
        return max(1, round(options.keep * total))
    if (budget := options.max_nodes) is not None:
        n_nodes = np.array([tree.n_nodes for tree in forest.trees])
        return (
            total + 1 - smallest(1, total, lambda gone: int(n_nodes[pruning.trees(total + 1 - gone)].sum()) <= budget)
        )
    return smallest(1, total, pruning.meets_gate)
