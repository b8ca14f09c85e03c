"""The bundle that a path names: its folder, a run's folder, a scenario that builds it, a model file of trees."""

from __future__ import annotations

from pathlib import Path

from harness.bundle import MANIFEST, Bundle, open_bundle
from harness.cache import Cache
from harness.errors import UsageError
from harness.pipeline.no_data import bundle_of_file
from harness.pipeline.prepare import built
from harness.protocols import Progress
from harness.scenario import SUFFIXES, load_one


def named_bundle(what: Path, cache: Cache, progress: Progress) -> Bundle:
    """Open the bundle, or build it. Raises UsageError, ModelError, and whatever building it raises."""
    if what.is_dir():
        return bundle_in(what)
    if what.suffix not in SUFFIXES:
        return bundle_of_file(what, cache, progress)
    scenario = load_one(what)
    if scenario.target is not None:
        raise UsageError("its target is served by others", where=str(what), remedy="name a bundle or a ranker")
    _, steps = built(scenario, cache, progress)
    return steps[-1].bundle


def bundle_in(folder: Path) -> Bundle:
    """The bundle of a folder, or the one that a run directory has kept; ModelError where there is neither."""
    kept = folder / "bundle"
    return open_bundle(kept if (kept / MANIFEST).is_file() and not (folder / MANIFEST).is_file() else folder)
