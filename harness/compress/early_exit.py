"""Let candidates leave the forest early: all go through its first trees, only the promising ones through the rest.

Proximity, EPT (Cambazoglu, Zaragoza, Chapelle, Chen, Liao, Zheng and Degenhardt, "Early exit optimizations for additive
machine learned ranking systems", WSDM 2010): after each of some numbers of trees, the sentinels, a candidate leaves
whose partial score is more than a margin below the k-th best of its list. Margins are in standard deviations of what
the trees behind the sentinel add, so that one number does for several sentinels. Classifier, LEAR (Busolin, Lucchese,
Nardini, Orlando, Perego and Trani, "Learning early exit strategies for additive ranking ensembles", SIGIR 2021): at
each sentinel a small forest learns, from a candidate's features and how it stands in its list, whether it is relevant
and among the forest's k best.

The forest stays whole in its files; parts of it are beside them, and are served by any engine of trees as
`harness.early_exit` says. The trees per candidate are what is made few, which saves as much time where an engine goes
tree by tree for each candidate (native, gtil); but each part is a call of its own, so short lists gain nothing.
bitblend lets candidates leave within one call. It scores 32 of them for little more than one, so it gains from about a
hundred candidates on, and less.

All is chosen on `valid`, not on `train`, which the forest knows by heart; classifiers learn from every other query
group there and are judged on the rest. A list is taken to be a query group, as in the data.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from harness.bundle import Draft
from harness.compress._gate import gate_notes
from harness.compress._size_options import MaxDrop
from harness.early_exit import ascending
from harness.protocols import Compression, PluginOptions
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.compress._exit_choice import Chosen, Everyone
    from harness.trees.forest import Forest

_SENTINEL_SHARES = (
    *((share,) for share in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)),
    *((0.05, 0.2), (0.1, 0.3), (0.05, 0.15, 0.3), (0.1, 0.2, 0.4), (0.05, 0.15, 0.3, 0.5)),
)
_TIMES_K = (1.0, 1.5, 2.0, 3.0)


class Options(PluginOptions):
    """Either `max_drop`, which finds what is not given; or `sentinels` and the `margin` or `threshold` of the rule."""

    rule: Literal["proximity", "classifier"] = Field(
        default="proximity",
        description="who stays: proximity (EPT), those near the k-th best partial score; classifier (LEAR), those that"
        " a small forest expects among the k best",
    )
    max_drop: MaxDrop = None
    sentinels: tuple[int, ...] | None = Field(
        default=None, min_length=1, description="after how many trees candidates may leave, in ascending order"
    )
    k: int | None = Field(
        default=None, ge=1, description="places that matter; searched with max_drop and proximity, else those of NDCG@k"
    )
    margin: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="proximity: most that a partial score may lie below the k-th best, in standard deviations of what "
        "the trees behind the sentinel add",
    )
    threshold: float | None = Field(
        default=None, allow_inf_nan=False, description="classifier: least it must give, of 0 to 1"
    )
    seed: int = Field(default=1, ge=0, description="seed of the classifiers' training")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        own, other = ("margin", "threshold") if self.rule == "proximity" else ("threshold", "margin")
        if getattr(self, other) is not None:
            raise ValueError(f"{other} is not a key of rule {self.rule}; it has {own}")
        if self.max_drop is None and None in (self.sentinels, getattr(self, own)):
            raise ValueError(f"give max_drop, or both sentinels and {own}")
        if self.sentinels and not ascending(self.sentinels):
            raise ValueError(f"sentinels are not in ascending order from 1 on: {list(self.sentinels)}")
        return self


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees, once, and the last sentinel stands before the last of them."""
    if manifest.format != "trees":
        return f"a {manifest.format} bundle has no trees"
    if "early_exit" in manifest.meta:
        return "candidates leave the bundle's forest early already"
    n_trees = manifest.size.n_trees
    if n_trees == 1:
        return "the model has one tree, so there is none to leave out"
    if options.sentinels is not None and options.sentinels[-1] >= n_trees:
        return f"a sentinel is {options.sentinels[-1]}, the model has {n_trees} trees"
    return ""


def apply(options: Options, work: Compression) -> Draft:
    """Write the bundle again with the parts beside it; without them where leaving early within the gate saves none."""
    from harness.compress._exit_choice import Everyone
    from harness.compress._exit_parts import whole, with_exit
    from harness.errors import ModelError
    from harness.ndcg import check_contrast
    from harness.trees import artefacts

    forest = artefacts.load(work.bundle)
    if options.max_drop is not None:
        check_contrast(work.splits.valid)
    if forest.average:
        raise ModelError("averages its trees, so the first of them say as much as all", remedy="truncate it instead")
    by_rule = _by_classifier if options.rule == "classifier" else _by_proximity
    chosen, classifiers = by_rule(options, work, forest)
    notes = gate_notes(options.max_drop, work.splits.valid)
    if isinstance(chosen, Everyone):
        note = f"every candidate stays: {chosen.reason}"
        work.progress(note)
        return whole(work, {"notes": [note, *notes], "gate_missed": chosen.reason if chosen.gate_missed else ""})
    cuts = ", ".join(f"{cut:.4g} after {n}" for n, cut in zip(chosen.sentinels, chosen.cuts, strict=True))
    work.progress(
        f"early_exit: k {chosen.k}; cut {cuts} of {len(forest.trees)} trees;"
        f" {chosen.mean_trees:.1f} trees per candidate on valid"
    )
    return with_exit(work, forest, options.rule, chosen, classifiers, notes)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """Truncation to as many trees as a candidate goes through on average.

    None where nobody leaves early, and behind `quantise`, where trees can't be cut off any more.
    """
    if "early_exit" not in after.meta or "quantise" in before.meta:
        return None
    mean_trees = round(after.meta["early_exit"]["mean_trees"])
    return {"kind": "truncate", "keep_trees": min(max(mean_trees, 1), before.size.n_trees)}


def _by_proximity(options: Options, work: Compression, forest: Forest) -> tuple[Chosen | Everyone, list[Forest]]:
    from harness.compress._exit_choice import ExitGate, partials
    from harness.compress._exit_ways import Proximity

    ways = _ways_of_sentinels(options, len(forest.trees))
    found = partials(forest, work.splits.valid, chain(*ways))
    gate = ExitGate(found, len(forest.trees), work.ndcg)
    cut = None if options.margin is None else -options.margin
    if options.max_drop is None:
        return gate.chosen(Proximity(found, ways[0], options.k or work.ndcg.k), cut or 0.0), []
    searched = {options.k} if options.k else {round(times * work.ndcg.k) for times in _TIMES_K}
    choices = [Proximity(found, sentinels, k) for sentinels in ways for k in sorted(searched)]
    return gate.least(choices, cut, options.max_drop), []


def _by_classifier(options: Options, work: Compression, forest: Forest) -> tuple[Chosen | Everyone, list[Forest]]:
    from harness.compress._exit_choice import Everyone, ExitGate, partials
    from harness.compress._exit_classifier import learnt
    from harness.compress._exit_ways import Classified

    ways = _ways_of_sentinels(options, len(forest.trees))
    found = partials(forest, work.splits.valid, chain(*ways))
    groups = np.arange(found.data.n_groups)
    lessons, rest = found.of_groups(groups[::2]), found.of_groups(groups[1::2])
    k = options.k or work.ndcg.k
    known = {sentinel: learnt(lessons, sentinel, k, work, options.seed) for sentinel in sorted({*chain(*ways)})}
    gate = ExitGate(rest, len(forest.trees), work.ndcg)
    choices = [Classified(rest, sentinels, k, [known[sentinel] for sentinel in sentinels]) for sentinels in ways]
    if options.max_drop is None:
        chosen: Chosen | Everyone = gate.chosen(choices[0], options.threshold or 0.0)
    else:
        chosen = gate.least(choices, options.threshold, options.max_drop)
    if isinstance(chosen, Everyone):
        return chosen, []
    return chosen, [known[sentinel] for sentinel in chosen.sentinels]


def _ways_of_sentinels(options: Options, n_trees: int) -> list[tuple[int, ...]]:
    if options.sentinels is not None:
        return [options.sentinels]
    found = {
        tuple(sorted({min(max(round(share * n_trees), 1), n_trees - 1) for share in shares}))
        for shares in _SENTINEL_SHARES
    }
    return sorted(found, key=lambda way: (len(way), way))
