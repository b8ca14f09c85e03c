"""Integers in place of a network's numbers: what the `quantise` method does to a bundle of the mlp format."""

from __future__ import annotations

from harness.bundle import Draft
from harness.protocols import Compression
from harness.records import Manifest


def refuses_network(manifest: Manifest) -> str:
    """Why the hidden layers of a network can't be quantised; empty where they can."""
    return "" if manifest.meta.get("hidden") != [] else "the network has no hidden layer to quantise"


def quantise_network(work: Compression) -> Draft:
    """Weights of the hidden layers in int8, one scale per output channel; activations are quantised at run time."""
    from harness.mlp import artefacts

    manifest = work.bundle.manifest
    kept = {key: value for key, value in manifest.meta.items() if key != "valid_ndcg"}  # was of the fp32 weights
    model = artefacts.load(work.bundle).quantised()
    return artefacts.save(model, work.out, manifest.feature_names, meta={**kept, "quantise": {"weights": "int8"}})
