"""Contenders: the engines that can score a bundle, opened in this process; why the others can't is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from harness import registry
from harness.bench.trial import OverLimitError, try_engine
from harness.bundle import Bundle
from harness.errors import EngineError, UsageError
from harness.opening import open_engine
from harness.protocols import Progress, Scorer
from harness.scenario import Choice, options
from harness.studies import SkippedEngine

AUTO = "auto"
"""The engine that stands for the fastest exact one, and is none itself."""
ROUNDING = 1e-6
"""Difference, as a share of the largest score, that float32 allows an engine that states no tolerance."""


@dataclass(frozen=True)
class Contender:
    """An engine that is open; open_s: its first opening, with all compiling; load_s: this one."""

    label: str
    choice: Choice
    scorer: Scorer
    open_s: float
    load_s: float

    @property
    def info(self) -> Mapping[str, Any]:
        """How it was set up."""
        return self.scorer.info

    @property
    def tolerance(self) -> float | None:
        """The difference from the reference that it states; None where it does not hold itself to the reference."""
        stated = self.info.get("tolerance", ROUNDING)
        return None if stated is None else float(stated)


@dataclass
class Field:
    """Who takes part and who does not."""

    contenders: list[Contender] = field(default_factory=list)
    skipped: list[SkippedEngine] = field(default_factory=list)


def parsed(label: str) -> Choice:
    """The engine that `NAME` or `NAME:key=value:key=value` names; UsageError where there is none such."""
    kind, *settings = label.split(":")
    chosen: dict[str, Any] = {"kind": kind}
    for setting in settings:
        if not re.fullmatch(r"\w+=[\w.+-]+", setting):
            raise UsageError(
                f"{setting!r} is not key=value", where=label, remedy="write NAME:key=value, such as tl2cgen:opt_level=3"
            )
        key, _, value = setting.partition("=")
        try:
            chosen[key] = YAML(typ="safe", pure=True).load(value)
        except YAMLError as error:
            raise UsageError(f"{value!r} is no value", where=label, remedy="write it as in a scenario") from error
    choice = Choice.model_validate(chosen)
    options("engines", choice)
    return choice


def everyone() -> tuple[str, ...]:
    """Labels of all engines there are."""
    return tuple(name for name in registry.names("engines") if name != AUTO)


def gather(
    labels: Sequence[str],
    bundle: Bundle,
    cache_dir: Path,
    limit_s: float,
    progress: Progress,
    fits: Callable[[Contender], str] = lambda _: "",
) -> Field:
    """Open all engines named; `fits` may say why one that is open is left out all the same."""
    found = Field()
    for label, contender in _each(labels, bundle, cache_dir, limit_s, progress, found.skipped):
        reason = fits(contender)
        if reason:
            found.skipped.append(SkippedEngine(engine=label, reason=reason))
        else:
            found.contenders.append(contender)
    return found


def scores_nothing(contender: Contender) -> str:
    """Why a stand-in for an engine is left out where it was not asked for by name; empty for a real engine."""
    idle = contender.tolerance is None and "lossy" not in contender.info
    return "it says itself that it scores nothing of a bundle" if idle else ""


def not_exact(contender: Contender) -> str:
    """Why an engine can't stand for the reference; empty for one that scores the same to a stated tolerance."""
    lossy = contender.info.get("lossy", "")
    return scores_nothing(contender) or (f"it is not exact: {lossy}" if lossy else "")


def _each(
    labels: Sequence[str],
    bundle: Bundle,
    cache_dir: Path,
    limit_s: float,
    progress: Progress,
    skipped: list[SkippedEngine],
) -> Iterator[tuple[str, Contender]]:
    for label in labels:
        choice = parsed(label)
        engine, chosen = registry.engine(choice.kind), options("engines", choice)
        reason = engine.refuses(chosen, bundle.manifest)
        if reason:
            skipped.append(SkippedEngine(engine=label, reason=reason, refused=True))
            continue
        progress(f"opening {label}")
        try:
            open_s = try_engine(bundle, choice, cache_dir, limit_s)
            started = time.perf_counter()
            scorer = open_engine(engine, chosen, bundle, cache_dir)
        except EngineError as error:
            skipped.append(SkippedEngine(engine=label, reason=error.what, over_limit=isinstance(error, OverLimitError)))
            continue
        if "fallback" in scorer.info:
            reason = f"{scorer.info['fallback']} would score in its place: {scorer.info['fallback_reason']}"
            skipped.append(SkippedEngine(engine=label, reason=reason))
            continue
        yield label, Contender(label, choice, scorer, open_s, time.perf_counter() - started)
