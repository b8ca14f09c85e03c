"""What the numbers of a network bundle are, as its manifest says, and which engines they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.bundle import Bundle
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.mlp.model import MlpModel

_RANGES = "activation_ranges"
_DYNAMIC = "its int8 weights are for activations quantised at run time, as native has them"
_STATIC = "its layers are int8 on fixed grids, which bytenet, onnxruntime_int8 and native score"


def on_grids(manifest: Manifest) -> bool:
    """Whether the bundle holds int8 layers with fixed grids of their activations."""
    return bool(manifest.meta.get("quantise", {}).get("activations") == "static")


def refuses_int8(manifest: Manifest) -> str:
    """Why an engine of float32 networks can't score a quantised one; empty where it is not quantised."""
    if "quantise" not in manifest.meta:
        return ""
    return _STATIC if on_grids(manifest) else _DYNAMIC


def refuses_dynamic(manifest: Manifest) -> str:
    """Why fixed grids can't hold a network quantised at run time; empty where it is not."""
    return _DYNAMIC if "quantise" in manifest.meta and not on_grids(manifest) else ""


def refuses_grids(manifest: Manifest) -> str:
    """Why an engine of hidden layers on fixed grids can't score a bundle; empty where it can."""
    if manifest.format != "mlp":
        return f"it scores networks of the mlp format, this bundle is {manifest.format}"
    if reason := refuses_dynamic(manifest):
        return reason
    if manifest.meta.get("hidden") == []:
        return "the network has no hidden layer to quantise"
    if _RANGES not in manifest.meta and not on_grids(manifest):
        return "the bundle does not say which ranges its activations have: train it again with this version"
    return ""


def model_on_grids(bundle: Bundle, weight_bits: int | None = None) -> tuple[MlpModel, int]:
    """A bundle's network on fixed grids, and the bits of its weights: its own where it comes quantised, else
    `weight_bits` (7 by default) and the grids over its ranges. ModelError for a damaged network."""
    from harness.mlp.artefacts import load
    from harness.mlp.calibration import grids_over
    from harness.mlp.model import WEIGHT_BITS

    model, bits = load(bundle), weight_bits or WEIGHT_BITS
    if model.grids:
        return model, WEIGHT_BITS
    return model.on_grids(grids_over(bundle.manifest.meta[_RANGES]), bits), bits
