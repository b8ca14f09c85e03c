"""Keep the first trees: a fixed number, a share, a node budget, or the fewest inside a quality gate.

The cheapest compression there is: boosted trees correct the ones before them, so the first ones carry most of the score
and any prefix of the ensemble is a ranker. It costs no training and, unless `max_drop` asks for the gate, no data.
Other methods prune better at the same size, often by far; each is therefore reported against truncation as its control.
Use it to see what a size costs at least, or for a model file without data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from harness.bundle import Draft
from harness.compress._gate import Gate, gate_notes, smallest
from harness.compress._size_options import SizeOptions, refuses_all_but_trees
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.trees.forest import Forest


class Options(SizeOptions):
    """Exactly one of the keys; at least one tree stays in any case."""

    keep_trees: int | None = Field(default=None, ge=1, description="trees to keep")


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees, and keeps no more than there are."""
    if options.keep_trees is not None and manifest.format == "trees" and options.keep_trees > manifest.size.n_trees:
        return f"keep_trees is {options.keep_trees}, the model has {manifest.size.n_trees} trees"
    return refuses_all_but_trees(manifest)


def needs_data(options: Options, manifest: Manifest) -> str:
    """Only for the quality gate."""
    return "max_drop is met on the valid split" if options.max_drop is not None else ""


def apply(options: Options, work: Compression) -> Draft:
    """Write the shortened forest."""
    from harness.trees import artefacts

    forest = artefacts.load(work.bundle)
    n_trees = _n_trees(options, forest, work)
    work.progress(f"truncate: {n_trees} of {len(forest.trees)} trees")
    notes = gate_notes(options.max_drop, work.splits.valid)
    return artefacts.save_like(forest.first(n_trees), work.out, work.bundle, meta={"notes": notes} if notes else None)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """None: truncation is the control of other methods."""
    return None


def _n_trees(options: Options, forest: Forest, work: Compression) -> int:
    total = len(forest.trees)
    if options.keep_trees is not None:
        return min(options.keep_trees, total)
    if options.keep is not None:
        return max(1, round(options.keep * total))
    if options.max_nodes is not None:
        n_nodes = np.cumsum([tree.n_nodes for tree in forest.trees])
        return max(1, int(np.searchsorted(n_nodes, options.max_nodes, side="right")))
    return _fewest(forest, work, options.max_drop or 0.0)


def _fewest(forest: Forest, work: Compression, max_drop: float) -> int:
    gate = Gate(forest, work.splits.valid, work.ndcg)
    values = [tree.value for tree in forest.trees]
    return smallest(1, len(values), lambda n: gate.drop_upper(values[:n]) <= max_drop)
