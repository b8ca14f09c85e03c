"""What the numbers of a network bundle are, as its manifest says, and which engines they are for."""

from __future__ import annotations

from harness.records import Manifest

_DYNAMIC = "its int8 weights are for activations quantised at run time, as native has them"
_STATIC = "its layers are int8 on fixed grids, which onnxruntime_int8 and native score"


def on_grids(manifest: Manifest) -> bool:
    """Whether the bundle holds int8 layers with fixed grids of their activations."""
    return bool(manifest.meta.get("quantise", {}).get("activations") == "static")


def refuses_int8(manifest: Manifest) -> str:
    """Why an engine of float32 networks can't score a quantised one; empty where it is not quantised."""
    if "quantise" not in manifest.meta:
        return ""
    return _STATIC if on_grids(manifest) else _DYNAMIC


def refuses_dynamic(manifest: Manifest) -> str:
    """Why an engine of fixed grids can't score a network quantised at run time; empty where it is not."""
    return _DYNAMIC if "quantise" in manifest.meta and not on_grids(manifest) else ""
