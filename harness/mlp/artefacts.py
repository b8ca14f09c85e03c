"""Network bundles on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.bundle import CANONICAL, Bundle, Draft
from harness.errors import ModelError
from harness.mlp import model_file
from harness.mlp.model import MlpModel


def save(model: MlpModel, out: Path, feature_names: tuple[str, ...], *, meta: dict[str, Any]) -> Draft:
    """Write a network into `out` and describe it; `meta` gets the widths of its hidden layers."""
    model_file.save(out / CANONICAL["mlp"], model)
    return Draft("mlp", model.transform.n_features, feature_names, model.size, {**meta, "hidden": list(model.hidden)})


def load(bundle: Bundle) -> MlpModel:
    """The network of a bundle; ModelError for any other format, and where the file is damaged."""
    if bundle.manifest.format != "mlp":
        raise ModelError(f"a bundle of format {bundle.manifest.format} has no network", where=str(bundle.path))
    return model_file.load(bundle.artefact)
