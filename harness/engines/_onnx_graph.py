"""The ONNX graph of a bundle of trees or of a network: what ONNX Runtime scores here, and what is exported."""

from __future__ import annotations

from harness.bundle import Bundle
from harness.records import Manifest


def refuses_trees(manifest: Manifest) -> str:
    """Why ONNX's operator of trees can't hold a bundle of trees; empty where it can."""
    by_category = manifest.meta.get("categorical_features")
    return "its trees split by category, which ONNX's operator of trees can't" if by_category else ""


def graph_of(bundle: Bundle) -> bytes:
    """The serialised model. ModelError for a bundle that is damaged, or has splits that the graph can't hold."""
    return _network(bundle) if bundle.manifest.format == "mlp" else _trees(bundle)


def _network(bundle: Bundle) -> bytes:
    from harness.mlp.artefacts import load
    from harness.mlp.onnx_graph import graph_of

    return graph_of(load(bundle))


def _trees(bundle: Bundle) -> bytes:
    from harness.trees.artefacts import load
    from harness.trees.formats.onnx_export import to_onnx

    model = to_onnx(load(bundle), lightgbm_zero=bundle.manifest.source == "lightgbm")
    return bytes(model.SerializeToString())
