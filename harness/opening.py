"""Opening an engine for a bundle: the one place that does, which puts together what a bundle holds in parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.bundle import Bundle, open_bundle
from harness.early_exit import CLASSIFIER, DESCRIPTION, PREFIX, SUFFIX, EarlyExitScorer, Exit
from harness.errors import ModelError
from harness.protocols import Engine, Scorer


def open_engine(engine: Engine, options: Any, bundle: Bundle, cache_dir: Path) -> Scorer:
    """The scorer of a bundle; where candidates leave early, of its parts, each opened in the same engine.

    An engine that scores nothing of a bundle opens it whole. Raises EngineError and ModelError.
    """
    if DESCRIPTION not in bundle.manifest.files:
        return engine.open(options, bundle, cache_dir)
    exits = _exit_of(bundle)
    prefix = engine.open(options, open_bundle(bundle.path / PREFIX), cache_dir)
    if prefix.info.get("tolerance", 0.0) is None:
        return engine.open(options, bundle, cache_dir)
    suffix = engine.open(options, open_bundle(bundle.path / SUFFIX), cache_dir)
    classifier = None
    if exits.rule == "classifier":
        classifier = engine.open(options, open_bundle(bundle.path / CLASSIFIER), cache_dir)
    return EarlyExitScorer(exits, prefix, suffix, classifier)


def _exit_of(bundle: Bundle) -> Exit:
    file = bundle.file(DESCRIPTION)
    try:
        return Exit.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ModelError(
            f"does not say how candidates leave early: {error.errors()[0]['msg']}",
            where=str(file),
            remedy="build the bundle again with `harness run`",
        ) from error
