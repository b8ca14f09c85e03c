"""Collapse the subtrees that change the scores least, over all trees, to a node budget or a quality gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.bundle import Draft
from harness.compress._gate import Gate, smallest
from harness.compress._size_options import SizeOptions, refuses_all_but_trees
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.ranking_data import Features
    from harness.trees.collapse import Collapses

_COVER_ROWS = 20_000


class Options(SizeOptions):
    """Exactly one of the keys; `keep` is a share of the nodes."""


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees."""
    return refuses_all_but_trees(manifest)


def apply(options: Options, work: Compression) -> Draft:
    """Write the pruned forest; `harness.trees.collapse` says in which order subtrees go."""
    from harness.trees import artefacts
    from harness.trees.collapse import collapses
    from harness.trees.cover import with_cover

    forest = artefacts.load(work.bundle)
    if not forest.has_cover:
        forest = with_cover(forest, _spaced(work.splits.train.features))
    sequence = collapses(forest)
    pruned = sequence.after(_n_collapses(options, sequence, work))
    work.progress(f"prune_leaves: {pruned.n_nodes} of {forest.n_nodes} nodes")
    return artefacts.save_like(pruned, work.out, work.bundle)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """Truncation to as many nodes."""
    return {"kind": "truncate", "max_nodes": after.size.n_nodes}


def _n_collapses(options: Options, sequence: Collapses, work: Compression) -> int:
    if options.keep is not None:
        return sequence.fewest_to(max(1, round(options.keep * sequence.forest.n_nodes)))
    if options.max_nodes is not None:
        return sequence.fewest_to(options.max_nodes)
    max_drop = options.max_drop or 0.0
    gate = Gate(sequence.forest, work.splits.valid, work.ndcg)
    total = len(sequence)
    return total - smallest(0, total, lambda n_left: gate.drop_upper(sequence.leaf_values(total - n_left)) <= max_drop)


def _spaced(x: Features) -> Features:
    """Evenly spaced rows, enough to weigh leaves by."""
    return x[np.linspace(0, x.shape[0] - 1, min(x.shape[0], _COVER_ROWS)).astype(np.int64)]
