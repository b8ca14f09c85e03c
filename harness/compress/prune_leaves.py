"""Collapse the subtrees that change the scores least, over all trees, to a node budget or a quality gate.

Minimal cost-complexity pruning (Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984, chapter
3) with one queue over all trees: again and again the subtree that changes its tree's output least, in mean square per
leaf removed, becomes a leaf (`harness.trees.pruning.collapse`). It needs no grades and takes seconds, and shortens
trees rather than making them fewer, which suits engines whose time goes with nodes (`bitblend`, `tl2cgen`). Trees are
weighed one by one: `prune_levels` and `prune_trees`, which make up for what they take away, lose less where much has to
go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.bundle import Draft
from harness.compress._gate import Gate, gate_notes, smallest
from harness.compress._size_options import SizeOptions, refuses_all_but_trees
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.trees.pruning.collapse import Collapses

_COVER_ROWS = 20_000


class Options(SizeOptions):
    """Exactly one of the keys; `keep` is a share of the nodes."""


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees."""
    return refuses_all_but_trees(manifest)


def apply(options: Options, work: Compression) -> Draft:
    """Write the pruned forest; `harness.trees.pruning.collapse` says in which order subtrees go."""
    from harness.trees import artefacts
    from harness.trees.pruning.collapse import collapses
    from harness.trees.pruning.cover import with_cover
    from harness.trees.pruning.sampled import said, spaced_rows

    forest = artefacts.load(work.bundle)
    notes = gate_notes(options.max_drop, work.splits.valid)
    if not forest.has_cover:
        train = work.splits.train.features
        x = spaced_rows(train, _COVER_ROWS)
        forest = with_cover(forest, x)
        notes += [f"the source kept no count of rows: leaves weighed by {said(len(x), len(train), 'rows of train')}"]
    sequence = collapses(forest)
    pruned = sequence.after(_n_collapses(options, sequence, work))
    work.progress(f"prune_leaves: {pruned.n_nodes} of {forest.n_nodes} nodes")
    return artefacts.save_like(pruned, work.out, work.bundle, meta={"notes": notes} if notes else None)


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
