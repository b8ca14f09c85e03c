"""Bench: a bundle on every engine that takes it, interleaved in this process, one length of list after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness import __version__
from harness.bench.calls import Effort
from harness.bench.contenders import everyone, gather, parsed, scores_nothing
from harness.bench.side_by_side import record_of, times_at
from harness.bench.trial import memory_bytes
from harness.environment import describe
from harness.errors import EngineError, HarnessError
from harness.events import Count
from harness.pipeline.benched import Benched, benched
from harness.pipeline.run_dir import RunDir
from harness.pipeline.state import Settings
from harness.pipeline.studies import publish_study, save_study
from harness.placement import available_cpus
from harness.protocols import Progress
from harness.records import Measurements
from harness.scenario import resolved
from harness.scoring import reference_engine, reference_scorer
from harness.studies import Bench, EngineTimes

_EFFORT = Effort(seconds=3.0, fewest=30, most=3000)


@dataclass(frozen=True)
class Question:
    """What to bench, on which engines (none named: all), at which lengths, and how long an engine may compile."""

    what: Path
    overrides: tuple[str, ...]
    lengths: tuple[int, ...]
    engines: tuple[str, ...]
    compile_limit_s: float


def bench(question: Question, settings: Settings, progress: Progress) -> tuple[RunDir, Bench]:
    """Time every engine at every length. What was measured before an error is published; it is raised on.

    Raises EngineError where no engine can score the bundle, and what building it raises.
    """
    for label in question.engines:
        parsed(label)  # before anything is built
    asked = benched(question.what, question.overrides, max(question.lengths), settings.cache, progress)
    cpus = available_cpus()[-1:]
    run_dir = RunDir.named(settings.out, asked.name, "bench", _scenario(asked) or {"what": str(question.what)})
    found = _opening(question, asked, settings, cpus)
    try:
        found = _timed(found, question, asked, settings, run_dir, cpus, progress)
    except BaseException as error:
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
        _keep(run_dir, why, progress)
        raise
    return run_dir, publish_study(run_dir, found)


def _timed(
    found: Bench,
    question: Question,
    asked: Benched,
    settings: Settings,
    run_dir: RunDir,
    cpus: Sequence[int],
    progress: Progress,
) -> Bench:
    save_study(run_dir, found)
    compiled = (settings.cache.root if settings.cache.enabled else run_dir.path) / "compiled"
    labels, fits = question.engines or everyone(), (lambda _: "") if question.engines else scores_nothing
    field = gather(labels, asked.bundle, compiled, question.compile_limit_s, progress, fits)
    found = found.model_copy(update={"skipped": tuple(field.skipped)})
    save_study(run_dir, found)
    if not field.contenders:
        raise EngineError(
            "; ".join(f"{one.engine}: {one.reason}" for one in field.skipped),
            where=f"no engine of {', '.join(labels)}",
            remedy="name another one with --engines, or raise --compile-limit",
        )
    reference = reference_scorer(asked.bundle)
    progress("measuring resident memory")
    memory = [memory_bytes(asked.bundle, contender.choice, compiled) for contender in field.contenders]
    times: list[list[EngineTimes]] = [[] for _ in field.contenders]
    for place, n in enumerate(question.lengths):
        progress(Count(f"timing {len(field.contenders)} engines, length", place + 1, len(question.lengths)))
        at = times_at(field.contenders, reference, asked.rows, n, found.n_trees, cpus, _EFFORT)
        for own, new in zip(times, at, strict=True):
            own.append(new)
        found = found.model_copy(update={"engines": tuple(map(record_of, field.contenders, times, memory))})
        save_study(run_dir, found)
    whole = found.measurements.model_copy(update={"complete": True})
    return found.model_copy(update={"measurements": whole})


def _keep(run_dir: RunDir, why: str, progress: Progress) -> None:
    """Publish what was saved, with the reason why there is no more; a second failure does not hide the first."""
    try:
        saved = Bench.model_validate_json((run_dir.path / "bench.json").read_bytes())
        cut = saved.measurements.model_copy(update={"failure": why})
        publish_study(run_dir, saved.model_copy(update={"measurements": cut}))
    except (OSError, HarnessError) as second:
        progress(f"could not write the report of the unfinished bench: {second}")


def _opening(question: Question, asked: Benched, settings: Settings, cpus: Sequence[int]) -> Bench:
    """The record with nothing timed yet."""
    manifest = asked.bundle.manifest
    measured = Measurements(
        tool_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=settings.command,
        scenario=_scenario(asked),
        environment=describe() | {"bench_cpus": tuple(cpus)},
        data={"candidates": asked.candidates, "n_rows": len(asked.rows), "n_features": manifest.n_features},
    )
    return Bench(
        name=asked.name,
        measurements=measured,
        what=str(question.what),
        bundle={"format": manifest.format, "digest": manifest.digest, **manifest.size.model_dump()},
        n_trees=manifest.size.n_trees,
        candidates=asked.candidates,
        reference=reference_engine(manifest),
        lengths=question.lengths,
        compile_limit_s=question.compile_limit_s,
    )


def _scenario(asked: Benched) -> dict[str, object]:
    return resolved(asked.scenario) if asked.scenario is not None else {}
