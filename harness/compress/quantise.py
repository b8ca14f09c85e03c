"""Fewer bits per number: integer thresholds and narrow leaves for trees, int8 weights for a network.

Trees: `thresholds` marks the bundle for a compile that compares small integers in place of floats, which changes no
score; `leaves` rounds leaf values, which does: the packed file stores them that narrow, the other files keep the same
values in full width. `refit` chooses the narrow leaves by what the whole forest's scores on the train split lose, tree
by tree (`harness.trees.narrow_refit`), for where int4 costs quality. Network: weights of the hidden layers become int8,
one scale per output channel; activations are quantised at run time.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from harness.bundle import Draft
from harness.protocols import Compression, PluginOptions
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of a `quantise` step; both are about trees, a network has none to set."""

    thresholds: bool = Field(
        default=True, description="trees: compile with integer thresholds where the engine can; lossless"
    )
    leaves: Literal["none", "fp16", "int8", "int4"] = Field(
        default="none",
        description="trees: round leaf values to fp16, or to int8 or int4 with one scale per tree; lossy",
    )
    refit: bool = Field(
        default=False, description="trees: fit int8 or int4 leaves to the scores on train, tree after tree"
    )

    @model_validator(mode="after")
    def _refit_has_leaves(self) -> Self:
        if self.refit and self.leaves not in ("int8", "int4"):
            raise ValueError("refit needs leaves: int8 or int4")
        return self


def refuses(options: Options, manifest: Manifest) -> str:
    """Works once, on trees and networks."""
    if "quantise" in manifest.meta:
        return "the bundle is quantised already"
    match manifest.format:
        case "trees":
            return "" if options.thresholds or options.leaves != "none" else "thresholds and leaves are both off"
        case "mlp":
            if options.leaves != "none":
                return "a network has no leaves; leave out `leaves`"
            return "" if manifest.meta.get("hidden") != [] else "the network has no hidden layer to quantise"
    return f"it can't change the numbers of a {manifest.format} bundle, only those of trees and mlp"


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """None: nothing is cheaper than rounding the numbers, so this is itself the control."""
    return None


def apply(options: Options, work: Compression) -> Draft:
    """Write the quantised model. Raises ModelError where a leaf value is out of the range of fp16."""
    if work.bundle.manifest.format == "mlp":
        return _quantise_network(work)
    return _quantise_trees(options, work)


def _quantise_network(work: Compression) -> Draft:
    from harness.mlp import artefacts

    manifest = work.bundle.manifest
    kept = {key: value for key, value in manifest.meta.items() if key != "valid_ndcg"}  # was of the fp32 weights
    model = artefacts.load(work.bundle).quantised()
    return artefacts.save(model, work.out, manifest.feature_names, meta={**kept, "quantise": {"weights": "int8"}})


def _quantise_trees(options: Options, work: Compression) -> Draft:
    from harness.trees import artefacts
    from harness.trees.packed.leaves import narrowed, with_codes

    forest = artefacts.load(work.bundle)
    meta = {**work.bundle.manifest.meta, "quantise": options.model_dump()}
    match options.leaves:
        case "none":
            return artefacts.save_like(forest, work.out, work.bundle, meta=meta)
        case "int8" | "int4" if options.refit:
            from harness.trees.narrow_refit import refitted

            codes = refitted(forest, work.splits.train.features, options.leaves, work.progress)
        case leaves:
            codes = [narrowed(tree.value[tree.is_leaf], leaves) for tree in forest.trees]
    return artefacts.save_like(with_codes(forest, codes), work.out, work.bundle, codes=codes, meta=meta)
