"""New leaf values for the same splits, fitted to the teacher's scores or to the grades: what pruning cost, regained.

Size and time stay as they are, so this is a step behind a pruning one. `harness.trees.pruning.leaf_refit` says how
values are fitted on `train`; of all sweeps the one with the best NDCG on `valid` is kept, the old values included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from harness.bundle import Draft
from harness.compress._size_options import refuses_all_but_trees
from harness.events import Count
from harness.protocols import Compression, PluginOptions
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.ranking_data import Floats
    from harness.trees.pruning.leaf_refit import Derivatives, LeafMatrix

_PATIENCE = 3


class Options(PluginOptions):
    """What the leaves are fitted to, and how far."""

    objective: Literal["teacher", "lambdarank"] = Field(
        default="teacher",
        description="teacher: its scores, centred per query group, in least squares; lambdarank: the grades, by pairs"
        " weighted with what swapping them changes in NDCG",
    )
    l2: float = Field(default=1.0, ge=0, description="pull to the old value of a leaf, as so many rows of its own")
    steps: int = Field(default=30, ge=1, le=10_000, description="most sweeps over all trees; three without gain end it")
    learning_rate: float = Field(default=0.3, gt=0, le=1, description="share of each Newton step that is taken")


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees."""
    return refuses_all_but_trees(manifest)


def apply(options: Options, work: Compression) -> Draft:
    """Write the refitted forest."""
    from harness.ndcg import check_contrast
    from harness.trees import artefacts
    from harness.trees.pruning.leaf_refit import leaf_matrix, sweeps
    from harness.trees.pruning.mean_ndcg import MeanNdcg

    for split in (work.splits.train, work.splits.valid):
        check_contrast(split)
    forest = artefacts.load(work.bundle)
    train, valid = (leaf_matrix(forest, split) for split in (work.splits.train, work.splits.valid))
    notes = []
    if train.data.n_rows < work.splits.train.n_rows:
        notes.append(f"refit_leaves fitted on {train.data.n_rows} of {work.splits.train.n_rows} rows of train")
    mean_ndcg = MeanNdcg(valid.data, work.ndcg.k)

    def reached(candidate: Any) -> float:
        return mean_ndcg.of(valid.scores([tree.value for tree in candidate.trees]))

    best, best_ndcg = forest, reached(forest)
    highest, highest_step = 0.0, 0
    loss = _loss(options, work, train)
    for step, candidate in enumerate(sweeps(forest, train, loss, options.l2, options.learning_rate), start=1):
        own = reached(candidate)
        work.progress(Count("refit_leaves: sweep", step, options.steps, f"NDCG on valid {own:.4f}"))
        if own > best_ndcg:
            best, best_ndcg = candidate, own
        if own > highest:  # a fit to another target may lose at first what later sweeps more than regain
            highest, highest_step = own, step
        if step == options.steps or step - highest_step >= _PATIENCE:
            break
    if best is forest:
        notes.append("no sweep raised NDCG on valid: the leaves are as they were")
    meta = {"notes": notes} if notes else {}
    return artefacts.save_like(best, work.out, work.bundle, meta=meta)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """None: the cheap alternative is to leave the step out, which the ledger shows as the row before."""
    return None


def _loss(options: Options, work: Compression, train: LeafMatrix) -> Derivatives:
    from harness.scoring import score
    from harness.trees.pruning.lambdarank import LambdaRank

    if options.objective == "lambdarank":
        return LambdaRank(train.data, work.ndcg.k).derivatives
    taught = train.data.centred(score(work.teacher, train.data.features))

    def squared(scores: Floats) -> tuple[Floats, Floats]:
        return train.data.centred(scores) - taught, np.ones(train.data.n_rows)

    return squared
