"""ONNX Runtime with int8 kernels (optional extra `onnx`): a network's hidden layers in static QDQ; lossy.

Activations are unsigned bytes, weights signed bytes with one scale per output channel. A float32 bundle is quantised
when it is loaded, between ranges that were calibrated on whole query groups when the network was trained: on x86 CPUs
without VNNI weights get 7 bits, for the kernels add two products in 16 bits there, which 8 would overflow. A bundle
quantised with `activations: static` or `qat` brings its own grids and weights of 7 bits, which are used as they are.
It pays for long lists and wide layers: at one candidate, quantising costs more than it saves.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from harness.bundle import Bundle
from harness.engines._networks import model_on_grids, refuses_grids
from harness.environment import isa
from harness.protocols import PluginOptions, Scorer
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of the onnxruntime_int8 engine."""

    n_threads: int = Field(default=1, ge=1, le=256, description="threads inside one operator")


def refuses(options: Options, manifest: Manifest) -> str:
    """Needs a float32 network with hidden layers and known ranges, and the packages."""
    from harness.engines._onnx_session import missing_packages

    return refuses_grids(manifest) or missing_packages("onnxruntime", "onnx")


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Quantise the network, unless it comes quantised, and load it.

    Raises EngineError, and ModelError for a damaged network.
    """
    from harness.engines._onnx_session import open_session
    from harness.mlp.onnx_graph import graph_of

    model, bits = model_on_grids(bundle, weight_bits())
    content = graph_of(model)
    facts = {
        "precision": "int8",
        "lossy": f"hidden layers in int8: activations of 8 bits, weights of {bits}",
        "tolerance": None,
        "loaded_bytes": len(content),
    }
    return open_session(content, str(bundle.artefact), options.n_threads, facts)


def weight_bits() -> int:
    """8, or 7 where the CPU's byte products would overflow."""
    here = isa()
    return 7 if here["machine"] == "x86_64" and not {"avx512_vnni", "avx_vnni"} & set(here["vector"]) else 8
