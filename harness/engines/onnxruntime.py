"""ONNX Runtime on the CPU (optional extra `onnx`), for trees, networks and the user's own .onnx file.

Defines the scores of an ONNX bundle; the file takes one float32 input [n, n_features] and its first output is one
score per row, [n] or [n, 1]. Trees and networks of the `mlp` format become such a graph when they are loaded, in
float32; trees keep the leaf of every candidate (`harness.trees.formats.onnx_export`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from harness.bundle import Bundle
from harness.engines._networks import refuses_int8
from harness.engines._onnx_graph import graph_of, refuses_trees
from harness.engines._scorer import NETWORK_ROUNDING, SUM_ROUNDING
from harness.protocols import PluginOptions, Scorer
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of the onnxruntime engine."""

    n_threads: int = Field(default=1, ge=1, le=256, description="threads inside one operator")


def refuses(options: Options, manifest: Manifest) -> str:
    """Needs trees, an ONNX bundle or a float32 network, and the packages."""
    from harness.engines._onnx_session import missing_packages

    match manifest.format:
        case "onnx":
            return missing_packages("onnxruntime")
        case "mlp":
            return refuses_int8(manifest) or missing_packages("onnxruntime", "onnx")
        case "trees":
            return refuses_trees(manifest) or missing_packages("onnxruntime", "onnx")
    return f"it scores trees, networks and ONNX bundles, this one is {manifest.format}"


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Load the ONNX file, or make a graph of the model. Raises EngineError, and ModelError for a model that is damaged
    or has splits that the graph can't hold."""
    from harness.engines._onnx_session import open_session

    where, n_bytes = str(bundle.artefact), bundle.artefact.stat().st_size
    if bundle.manifest.format == "onnx":
        return open_session(where, where, options.n_threads, {"loaded_bytes": n_bytes})
    content = graph_of(bundle)
    tolerance = NETWORK_ROUNDING if bundle.manifest.format == "mlp" else SUM_ROUNDING
    facts = {"precision": "fp32", "loaded_bytes": len(content), "tolerance": tolerance}
    return open_session(content, where, options.n_threads, facts)
