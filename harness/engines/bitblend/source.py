"""The forest of a bundle: from its packed file, or from the checkpoint of a bundle that has none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.bundle import Bundle
from harness.engines._scorer import SUM_ROUNDING
from harness.engines.bitblend.scorer import TOLERANCE
from harness.errors import EngineError, ModelError
from harness.trees.forest import Forest
from harness.trees.formats import packed


@dataclass(frozen=True)
class Source:
    """A forest, the file that it was read from, the most by which scores may differ from the bundle's own, and whether
    its thresholds are the bundle's own, not those of float32 inputs."""

    forest: Forest
    path: Path
    tolerance: float
    full: bool


def forest_of(bundle: Bundle, *, full: bool) -> Source:
    """Read a tree bundle, with thresholds in full precision where `full`.

    EngineError where its file is damaged, or is not as wide as the manifest says.
    """
    if full or packed.PACKED not in bundle.manifest.files:
        return _of_checkpoint(bundle)
    path = bundle.file(packed.PACKED)
    try:
        forest = packed.load(path)
    except ModelError as error:
        raise EngineError(error.what, where=error.where, remedy=error.remedy) from error
    if forest.n_features != bundle.manifest.n_features:
        raise EngineError(
            f"takes {forest.n_features} features, its manifest says {bundle.manifest.n_features}",
            where=str(path),
            remedy="build the bundle again",
        )
    return Source(forest, path, SUM_ROUNDING, full=forest.threshold_type == "float32")


def _of_checkpoint(bundle: Bundle) -> Source:
    from harness.engines._treelite import load_model
    from harness.trees.formats.treelite_model import from_treelite

    return Source(from_treelite(load_model(bundle), where=str(bundle.path)), bundle.artefact, TOLERANCE, full=True)
