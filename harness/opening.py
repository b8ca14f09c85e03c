"""Opening an engine for a bundle: the one place that does, which puts together what a bundle holds in parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.bundle import Bundle, open_bundle
from harness.early_exit import DESCRIPTION, EarlyExitScorer, Exit, classifier, part
from harness.errors import ModelError
from harness.protocols import Engine, Scorer


def open_engine(engine: Engine, options: Any, bundle: Bundle, cache_dir: Path) -> Scorer:
    """The scorer of a bundle; where candidates leave early, of its parts, each opened in the same engine.

    An engine that can let candidates leave by itself does so; one that scores nothing of a bundle opens it whole.
    Raises EngineError and ModelError.
    """
    if DESCRIPTION not in bundle.manifest.files:
        return engine.open(options, bundle, cache_dir)
    exits = _exit_of(bundle)
    n_exits, at_once = len(exits.sentinels), getattr(engine, "open_early_exit", None)
    if at_once is not None:
        whole: Scorer | None = at_once(options, bundle, exits, cache_dir)
        if whole is not None:
            return whole

    def opened(folder: str) -> Scorer:
        return engine.open(options, open_bundle(bundle.path / folder), cache_dir)

    first = opened(part(0))
    if first.info.get("tolerance", 0.0) is None:
        return engine.open(options, bundle, cache_dir)
    parts = [first, *(opened(part(at)) for at in range(1, n_exits + 1))]
    classifiers = [opened(classifier(at)) for at in range(n_exits)] if exits.rule == "classifier" else []
    return EarlyExitScorer(exits, parts, classifiers)


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
