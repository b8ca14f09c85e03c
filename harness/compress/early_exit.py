"""Let candidates leave the forest early: all go through its first trees, only the promising ones through the rest.

Proximity, EPT (Cambazoglu, Zaragoza, Chapelle, Chen, Liao, Zheng and Degenhardt, "Early exit optimizations for additive
machine learned ranking systems", WSDM 2010): a candidate leaves whose partial score is more than `margin` below the
k-th best of its list. Classifier, LEAR (Busolin, Lucchese, Nardini, Orlando, Perego and Trani, "Learning early exit
strategies for additive ranking ensembles", SIGIR 2021): a small forest learns, from a candidate's features and how it
stands in its list, whether it is relevant and among the forest's k best.

The forest stays whole in its files; parts of it are beside them, and are served by any engine of trees as
`harness.early_exit` says. The trees per candidate are what is made few, which saves time where an engine goes tree by
tree for each candidate (native, gtil). bitblend scores 32 of them for little more than one, and finds the ranks of
their features anew for each part: with up to 500 candidates it gains nothing.

All is chosen on `valid`, not on `train`, which the forest knows by heart; the classifier learns from every other query
group there and is judged on the rest. A list is taken to be a query group, as in the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from harness.bundle import Draft
from harness.compress._size_options import MaxDrop
from harness.protocols import Compression, PluginOptions
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.compress._exit_choice import Chosen
    from harness.trees.forest import Forest

_SENTINEL_SHARES = (0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
_TIMES_K = (1.0, 1.5, 2.0, 3.0)


class Options(PluginOptions):
    """Either `max_drop`, which finds what is not given; or `sentinel` and the `margin` or `threshold` of the rule."""

    rule: Literal["proximity", "classifier"] = Field(
        default="proximity",
        description="who stays: proximity (EPT), those near the k-th best partial score; classifier (LEAR), those that"
        " a small forest expects among the k best",
    )
    max_drop: MaxDrop = None
    sentinel: int | None = Field(default=None, ge=1, description="trees that every candidate goes through")
    k: int | None = Field(
        default=None, ge=1, description="places that matter; searched with max_drop and proximity, else those of NDCG@k"
    )
    margin: float | None = Field(
        default=None, ge=0, description="proximity: most that a partial score may lie below the k-th best"
    )
    threshold: float | None = Field(default=None, description="classifier: least it must give, of 0 to 1")
    seed: int = Field(default=1, ge=0, description="seed of the classifier's training")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        own, other = ("margin", "threshold") if self.rule == "proximity" else ("threshold", "margin")
        if getattr(self, other) is not None:
            raise ValueError(f"{other} is not a key of rule {self.rule}; it has {own}")
        if self.max_drop is None and None in (self.sentinel, getattr(self, own)):
            raise ValueError(f"give max_drop, or both sentinel and {own}")
        return self


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on trees, once, and the sentinel stands before the last of them."""
    if manifest.format != "trees":
        return f"a {manifest.format} bundle has no trees"
    if "early_exit" in manifest.meta:
        return "candidates leave the bundle's forest early already"
    n_trees = manifest.size.n_trees
    if n_trees == 1:
        return "the model has one tree, so there is none to leave out"
    if options.sentinel is not None and options.sentinel >= n_trees:
        return f"sentinel is {options.sentinel}, the model has {n_trees} trees"
    return ""


def apply(options: Options, work: Compression) -> Draft:
    """Write the bundle again with the parts beside it; without them where leaving early within the gate saves none."""
    from harness.compress._exit_parts import whole, with_exit
    from harness.errors import ModelError
    from harness.trees import artefacts

    forest = artefacts.load(work.bundle)
    if forest.average:
        raise ModelError("averages its trees, so the first of them say as much as all", remedy="truncate it instead")
    by_rule = _by_classifier if options.rule == "classifier" else _by_proximity
    chosen, classifier = by_rule(options, work, forest)
    if chosen is None:
        note = f"leaving early saves no trees within {options.max_drop:g} NDCG on valid: every candidate stays"
        work.progress(note)
        return whole(work, {"notes": [note]})
    work.progress(
        f"early_exit: after {chosen.way.sentinel} of {len(forest.trees)} trees, k {chosen.way.k}, cut {chosen.cut:.4g};"
        f" {chosen.mean_trees:.1f} trees per candidate on valid"
    )
    return with_exit(work, forest, options.rule, chosen, classifier)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """Truncation to as many trees as a candidate goes through on average.

    None where nobody leaves early, and behind `quantise`, where trees can't be cut off any more.
    """
    if "early_exit" not in after.meta or "quantise" in before.meta:
        return None
    mean_trees = round(after.meta["early_exit"]["mean_trees"])
    return {"kind": "truncate", "keep_trees": min(max(mean_trees, 1), before.size.n_trees)}


def _by_proximity(options: Options, work: Compression, forest: Forest) -> tuple[Chosen | None, None]:
    from harness.compress._exit_choice import Chosen, ExitGate, Way, partials

    found = partials(forest, work.splits.valid, _sentinels(options, len(forest.trees)))
    gate = ExitGate(found, len(forest.trees), work.ndcg)
    searched = [round(times * work.ndcg.k) for times in _TIMES_K] if options.max_drop is not None else [work.ndcg.k]
    ways = (
        Way(at, sentinel, k, found.gaps(at, k))
        for at, sentinel in enumerate(found.sentinels)
        for k in ([options.k] if options.k else searched)
    )
    cut = None if options.margin is None else -options.margin
    if options.max_drop is None:
        way = next(ways)
        return Chosen(way, cut or 0.0, gate.mean_trees(way, cut or 0.0)), None
    return gate.fewest(ways, cut, 0.0, options.max_drop), None


def _by_classifier(options: Options, work: Compression, forest: Forest) -> tuple[Chosen | None, Forest | None]:
    from harness.compress._exit_choice import Chosen, ExitGate, Way, partials
    from harness.compress._exit_classifier import judged, learnt

    found = partials(forest, work.splits.valid, _sentinels(options, len(forest.trees)))
    groups = np.arange(found.data.n_groups)
    lessons, rest = found.of_groups(groups[::2]), found.of_groups(groups[1::2])
    k = options.k or work.ndcg.k
    classifiers = [learnt(lessons, at, k, work, options.seed) for at in range(len(found.sentinels))]
    ways = (
        Way(at, sentinel, k, judged(classifiers[at], rest, at), len(classifiers[at].trees))
        for at, sentinel in enumerate(found.sentinels)
    )
    gate = ExitGate(rest, len(forest.trees), work.ndcg)
    if options.max_drop is None:
        way, cut = next(ways), options.threshold or 0.0
        return Chosen(way, cut, gate.mean_trees(way, cut)), classifiers[0]
    chosen = gate.fewest(ways, options.threshold, np.inf, options.max_drop)
    return chosen, None if chosen is None else classifiers[chosen.way.at]


def _sentinels(options: Options, n_trees: int) -> tuple[int, ...]:
    if options.sentinel is not None:
        return (options.sentinel,)
    return tuple(sorted({min(max(round(share * n_trees), 1), n_trees - 1) for share in _SENTINEL_SHARES}))
