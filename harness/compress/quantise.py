"""Fewer bits per number: integer thresholds and narrow leaves for trees, int8 weights for a network.

Trees: `thresholds` marks the bundle for a compile that compares small integers in place of floats, which changes no
score; `leaves` rounds leaf values, which does, and saves bits only where leaves are stored that narrow (the packed
size counts them so; the file keeps full-width numbers). Network: hidden layers become int8, activations
at run time or on fixed grids, after the fact or in training (`harness.compress._quantise_network`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from harness.bundle import Draft
from harness.compress._quantise_network import Activations, quantise_network, refuses_network
from harness.errors import ModelError
from harness.mlp.options import FineTuningOptions
from harness.protocols import Compression, PluginOptions
from harness.ranking_data import Floats
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.trees.forest import Tree

_LEAF_BITS = {"none": None, "fp16": 16, "int8": 8}
_INT8_SCALE_BITS = 32
_INT8_MAX = 127


class Options(PluginOptions):
    """Keys of a `quantise` step; each says whether it is about trees or about networks."""

    thresholds: bool = Field(
        default=True, description="trees: compile with integer thresholds where the engine can; lossless"
    )
    leaves: Literal["none", "fp16", "int8"] = Field(
        default="none", description="trees: round leaf values to fp16, or to int8 with one scale per tree; lossy"
    )
    activations: Activations = Field(
        default="dynamic",
        description="networks: quantise activations at run time (native), or between ranges calibrated on valid, for "
        "the static kernels of onnxruntime_int8",
    )
    qat: bool | FineTuningOptions = Field(
        default=False,
        description="networks: quantisation-aware training, static activations; true, or the keys of its training",
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Works once, on trees and networks."""
    if "quantise" in manifest.meta:
        return "the bundle is quantised already"
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
    """Not for trees, whose numbers are rounded as they are."""
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

    forest = artefacts.load(work.bundle)
    meta = {**work.bundle.manifest.meta, "quantise": options.model_dump(include={"thresholds", "leaves"})}
    rounded = forest.with_trees(tuple(_rounded(tree, options.leaves) for tree in forest.trees))
    draft = artefacts.save_like(rounded, work.out, work.bundle, leaf_bits=_LEAF_BITS[options.leaves], meta=meta)
    if options.leaves != "int8":
        return draft
    scale_bits = _INT8_SCALE_BITS * len(forest.trees) / forest.n_nodes
    packed = draft.size.packed_bits_per_node + scale_bits
    return replace(draft, size=draft.size.model_copy(update={"packed_bits_per_node": packed}))


def _rounded(tree: Tree, leaves: str) -> Tree:
    match leaves:
        case "fp16":
            return replace(tree, value=_fp16(tree.value))
        case "int8":
            return replace(tree, value=_int8(tree.value))
    return tree


def _fp16(value: Floats) -> Floats:
    limit = float(np.finfo(np.float16).max)
    if np.abs(value).max() > limit:
        raise ModelError(
            f"a leaf value of {np.abs(value).max():g} is out of the range of fp16 ({limit:g})",
            remedy="set `leaves: int8`, which scales each tree",
        )
    return value.astype(np.float16).astype(np.float64)


def _int8(value: Floats) -> Floats:
    scale = np.float64(np.float32(np.abs(value).max() / _INT8_MAX))
    return np.rint(value / scale).clip(-_INT8_MAX, _INT8_MAX) * scale if scale > 0 else np.zeros_like(value)
