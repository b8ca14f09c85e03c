"""Fewer bits per number: integer thresholds and narrow leaves for trees, int8 weights for a network.

Trees: `thresholds` marks the bundle for a compile that compares small integers in place of floats, which changes no
score; `leaves` rounds leaf values, which does: the packed file stores them that narrow, the other files keep the same
values in full width. int8 leaves make a packed file about a quarter smaller for next to no quality; `refit` chooses the
narrow leaves by what the whole forest's scores on the train split lose, tree by tree, for where int4 costs quality
(`harness.trees.pruning.narrow_refit`).

Networks: hidden layers become int8, activations at run time or on fixed grids, after the fact or, with `qat`, in
training (`harness.compress._quantise_network`): about a quarter of the bytes, and faster where layers are wide or lists
long. Put it last in a recipe: other methods refuse what is quantised already.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from harness.bundle import Draft
from harness.compress._quantise_network import Activations, quantise_network, refuses_network
from harness.mlp.options import QatOptions
from harness.protocols import Compression, PluginOptions
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of a `quantise` step; each says whether it is about trees or about networks."""

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
    activations: Activations = Field(
        default="dynamic",
        description="networks: quantise activations at run time (native), or between ranges calibrated on valid, for "
        "the static kernels of bytenet and onnxruntime_int8",
    )
    qat: bool | QatOptions = Field(
        default=False,
        description="networks: quantisation-aware training, static activations; true, or the keys of its training",
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
    if "early_exit" in manifest.meta:
        return "candidates leave the bundle's forest early, by a choice made for its numbers; put early_exit last"
    match manifest.format:
        case "trees" if options.qat is not False or options.activations != "dynamic":
            return "trees have no activations; leave out `activations` and `qat`"
        case "trees":
            return "" if options.thresholds or options.leaves != "none" else "thresholds and leaves are both off"
        case "mlp":
            if options.leaves != "none":
                return "a network has no leaves; leave out `leaves`"
            return refuses_network(manifest)
    return f"it can't change the numbers of a {manifest.format} bundle, only those of trees and mlp"


def needs_data(options: Options, manifest: Manifest) -> str:
    """Not for trees, whose numbers are rounded as they are, unless leaves are fitted."""
    if options.refit:
        return "refit fits leaves to the scores on the train split"
    return "" if manifest.format == "trees" else f"the numbers of a {manifest.format} bundle are calibrated on it"


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """Calibration alone for quantisation-aware training; None else: nothing is cheaper than rounding the numbers."""
    return {"kind": "quantise", "activations": "static"} if options.qat is not False else None


def apply(options: Options, work: Compression) -> Draft:
    """Write the quantised model. Raises ModelError where a leaf value is out of the range of fp16."""
    if work.bundle.manifest.format == "mlp":
        return quantise_network(options.activations, options.qat, work)
    return _quantise_trees(options, work)


def _quantise_trees(options: Options, work: Compression) -> Draft:
    from harness.trees import artefacts
    from harness.trees.formats.packed.leaves import narrowed, with_codes

    forest = artefacts.load(work.bundle)
    meta = {**work.bundle.manifest.meta, "quantise": options.model_dump(include={"thresholds", "leaves", "refit"})}
    match options.leaves:
        case "none":
            return artefacts.save_like(forest, work.out, work.bundle, meta=meta)
        case "int8" | "int4" if options.refit:
            from harness.trees.pruning.narrow_refit import refitted

            codes = refitted(forest, work.splits.train.features, options.leaves, work.progress)
        case leaves:
            codes = [narrowed(tree.value[tree.is_leaf], leaves) for tree in forest.trees]
    return artefacts.save_like(with_codes(forest, codes), work.out, work.bundle, codes=codes, meta=meta)
