"""Stop reading the features that are missed least: their splits go from the trees, leaf values follow.

Backward elimination (Kohavi and John, Wrappers for feature subset selection, Artificial Intelligence 1997) of the
features of a trained forest, without training it again: `harness.trees.pruning.fewer_features` says how a split goes.
After a first look at every feature, each round measures anew only the few that cost least when last measured. The
service need not fetch a removed feature; the input keeps its width, and what stands in that column is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from harness.bundle import Draft
from harness.compress._gate import MAX_ROWS, gate_notes
from harness.compress._size_options import Keep, MaxDrop, OneOfSeveral, refuses_all_but_trees
from harness.events import Count
from harness.ndcg import check_contrast, ndcg, quality_drop
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.trees.forest import Forest
    from harness.trees.pruning.fewer_features import FeatureRemoval

_TRAIN_CELLS = 20_000_000  # rows x trees
_TRAIN_ROWS = 20_000
_CHOICE_ROWS = 10_000  # of valid, on which features are compared
_MEASURED_ANEW = 4
_PROGRESS_EVERY = 20

Choose = Callable[[list[int], list[int]], int]
"""(features still read, features gone) -> the next to go."""


class Options(OneOfSeveral):
    """Exactly one of `keep` (a share of the features that are read), `max_features`, `max_drop`."""

    keep: Keep = None
    max_features: int | None = Field(default=None, ge=1, description="most features that are still read")
    max_drop: MaxDrop = None
    by: Literal["scores", "importance"] = Field(
        default="scores",
        description="which goes next: the one without which scores on the valid split change least, or the least"
        " important one",
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees."""
    return refuses_all_but_trees(manifest)


def apply(options: Options, work: Compression) -> Draft:
    """Write the forest that reads fewer features; the notes name those that need not be fetched any more."""
    from harness.trees import artefacts
    from harness.trees.forest import features_read
    from harness.trees.pruning.cover import with_cover
    from harness.trees.pruning.fewer_features import FeatureRemoval
    from harness.trees.pruning.sampled import said, spaced_rows

    forest, train = artefacts.load(work.bundle), work.splits.train
    x = spaced_rows(train.features, min(_TRAIN_ROWS, max(1, _TRAIN_CELLS // len(forest.trees))))
    if not forest.has_cover:
        forest = with_cover(forest, x)
    removal = FeatureRemoval(forest, x)
    gone = _gone(options, removal, work)
    smaller = removal.without(gone) if gone else forest
    read = features_read(smaller).tolist()
    names = work.bundle.manifest.feature_names
    unread = [name for index, name in enumerate(names) if index not in set(read)]
    notes = [
        f"reads {len(read)} of {len(names)} features; need not be fetched: {', '.join(unread) or 'none'}",
        f"leaf values recomputed on {said(x.shape[0], train.n_rows, 'rows of train')}",
        *gate_notes(options.max_drop, work.splits.valid),
    ]
    return artefacts.save_like(smaller, work.out, work.bundle, meta={"notes": notes})


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """The same number of features, kept by importance; None where this is that one."""
    if options.by == "importance":
        return None
    from harness.trees.artefacts import READ_FEATURES

    return {"kind": "prune_features", "by": "importance", "max_features": max(1, len(after.meta[READ_FEATURES]))}


def _gone(options: Options, removal: FeatureRemoval, work: Compression) -> list[int]:
    """The features to remove, first gone first."""
    from harness.trees.forest import features_read

    forest = removal.forest
    read, gone = features_read(forest).tolist(), list[int]()
    fewest = _fewest(options, len(read))
    within = _gate(removal, work, options.max_drop) if options.max_drop is not None else None
    choose = _by_importance(forest) if options.by == "importance" else _by_scores(removal, work)
    while len(read) > fewest:
        feature = choose(read, gone)
        if within is not None and not within(feature):
            break
        read.remove(feature)
        gone.append(feature)
        work.progress(f"prune_features: {len(read)} of {forest.n_features} features are read")
    return gone


def _fewest(options: Options, n_read: int) -> int:
    if options.keep is not None:
        return max(1, round(options.keep * n_read))
    return options.max_features or 1


def _by_importance(forest: Forest) -> Choose:
    from harness.trees.pruning.fewer_features import importance

    worth = importance(forest)

    def choose(read: list[int], gone: list[int]) -> int:
        return min(read, key=lambda feature: worth[feature])

    return choose


def _by_scores(removal: FeatureRemoval, work: Compression) -> Choose:
    """Least squared change of the query-centred scores, against what the whole forest gave."""
    from harness.trees.pruning.fewer_features import Scores

    valid = work.splits.valid.thinned(_CHOICE_ROWS)
    scores = Scores(removal, valid.features)
    costs: dict[int, float] = {}
    base = scores.total.copy()

    def choose(read: list[int], gone: list[int]) -> int:
        if gone:
            scores.remove(gone[-1])
        looked_at = sorted(read, key=lambda feature: costs[feature])[:_MEASURED_ANEW] if costs else read
        for done, feature in enumerate(looked_at, 1):
            costs[feature] = float(np.square(valid.centred(scores.without(feature) - base)).sum())
            if done % _PROGRESS_EVERY == 0:
                work.progress(Count("prune_features: features looked at", done, len(looked_at)))
        return min(looked_at, key=lambda feature: costs[feature])

    return choose


def _gate(removal: FeatureRemoval, work: Compression, max_drop: float) -> Callable[[int], bool]:
    """Whether the forest without one more feature, which then is gone, is still within the gate."""
    from harness.trees.pruning.fewer_features import Scores

    check_contrast(work.splits.valid)
    valid = work.splits.valid.thinned(MAX_ROWS)
    scores = Scores(removal, valid.features)
    base = ndcg(scores.total, valid, work.ndcg)

    def within(feature: int) -> bool:
        own = ndcg(scores.remove(feature), valid, work.ndcg)
        return quality_drop(base, own).drop_upper <= max_drop

    return within
