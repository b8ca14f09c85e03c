"""A bundle's Treelite checkpoint, loaded for scoring or compiling."""

from __future__ import annotations

from typing import Any

import treelite

from harness.bundle import Bundle
from harness.errors import EngineError


def load_model(bundle: Bundle) -> Any:
    """The treelite.Model; EngineError where it can't be read or is not as wide as the manifest says."""
    where = str(bundle.artefact)
    try:
        model = treelite.Model.deserialize(where)
    except treelite.TreeliteError as error:
        raise EngineError(
            f"Treelite {treelite.__version__} can't read it: {error}",
            where=where,
            remedy="build the bundle again with this version",
        ) from error
    if model.num_feature != bundle.manifest.n_features:
        raise EngineError(
            f"takes {model.num_feature} features, its manifest says {bundle.manifest.n_features}",
            where=where,
            remedy="build the bundle again",
        )
    return model
