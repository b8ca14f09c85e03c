"""The only module that knows the order of the stages: data, build, bench, serve and load, audit, judge, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness import __version__, registry
from harness.bundle import Bundle
from harness.cache import Cache
from harness.environment import describe
from harness.errors import EngineError, HarnessError
from harness.judge.verdict import judge
from harness.load.candidates import random_candidates
from harness.pipeline.bench import engine_times_us
from harness.pipeline.build import Builder, Step
from harness.pipeline.data import describe_data, load_data
from harness.pipeline.external import findings as findings_of_target
from harness.pipeline.external import reaching
from harness.pipeline.run_dir import RunDir
from harness.pipeline.session import Session, serving
from harness.pipeline.sides import sides
from harness.pipeline.suite import save_suite
from harness.placement import Placement, available_cpus, place
from harness.protocols import Progress, Scorer
from harness.ranking_data import Splits
from harness.records import Finding, LedgerRow, Measurements, Report
from harness.samples import Samples
from harness.scenario import Choice, Scenario, options, resolved
from harness.scoring import reference_engine

SAVED_FORMATS = ("json", "markdown", "html")


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: where results and the cache are, and the command line to repeat it."""

    out: Path
    cache: Cache
    command: str = ""


@dataclass
class _Run:
    """What is known so far; written out whatever happens next."""

    scenario: Scenario
    settings: Settings
    run_dir: RunDir
    placement: Placement
    progress: Callable[[str], None]
    measured: Measurements
    samples: Samples | None = None
    stage_s: dict[str, float] = field(default_factory=dict)

    def learn(self, **known: object) -> None:
        self.measured = self.measured.model_copy(update=known)
        self.run_dir.save_measurements(self.measured)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_s[name] = round(time.perf_counter() - started, 3)


def run(scenario: Scenario, settings: Settings, progress: Progress) -> tuple[RunDir, Report]:
    """Scenario -> RankingData -> Bundle -> Bundle' -> engine behind HTTP -> Samples -> Audit -> Verdict -> Report.

    A scenario's `target` takes the place of all between the data and the samples.

    Whatever fails or interrupts a stage, what was measured before it is kept in the run directory, judged INVALID, and
    the error is raised on.
    """
    run_dir = RunDir.create(settings.out, scenario)
    placement, findings = _placed(scenario)
    measured = Measurements(
        tool_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=settings.command,
        scenario=resolved(scenario),
        environment=describe() | {"generator_cpus": placement.generator, "server_cpus": placement.server},
        ndcg=scenario.sla.ndcg,
        findings=findings,
    )
    state = _Run(scenario, settings, run_dir, placement, progress, measured)
    try:
        _measure(state)
    except BaseException as error:
        _keep(state, error)
        raise
    return run_dir, publish(run_dir)


def _placed(scenario: Scenario) -> tuple[Placement, tuple[Finding, ...]]:
    """The cores of both sides; a target's command gets all that the load generator leaves."""
    if scenario.target is None:
        return place(scenario.serve.workers)
    placement, findings = place(max(len(available_cpus()) - 1, 1))
    return placement, (*findings, *findings_of_target(scenario.target))


def _keep(state: _Run, error: BaseException) -> None:
    """Write what there is, with the reason why there is no more; a disk that is full too does not hide that reason."""
    why = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
    try:
        state.learn(failure=why, stage_s=state.stage_s)
        publish(state.run_dir)
    except HarnessError as second:
        state.progress(f"could not write the report of the unfinished run: {second}")


def _measure(state: _Run) -> None:
    measure = _measure_ranker if state.scenario.target is None else _measure_target
    measure(state)
    state.learn(complete=state.measured.load is not None and state.measured.load.complete, stage_s=state.stage_s)


def _measure_ranker(state: _Run) -> None:
    """Build the ranker, serve it beside its teacher, and load both."""
    scenario, progress = state.scenario, state.progress
    with state.stage("data"):
        progress(f"data: {scenario.data.kind}")
        splits = load_data(scenario.data, state.settings.cache)
        state.learn(data=describe_data(splits))
    with state.stage("build"):
        n_threads = len(available_cpus())
        builder = Builder(state.settings.cache, splits, scenario.sla.ndcg, n_threads, progress)
        steps = builder.chain(scenario)
        state.learn(ledger=tuple(step.row for step in steps))
        state.run_dir.keep_bundle(steps[-1].bundle)
    with state.stage("engines"):
        state.learn(ledger=_timed(state, steps, splits))
    served = sides(scenario, steps[0].bundle, steps[-1].bundle)
    _load(
        state,
        serving(served, scenario, splits.test, state.run_dir.path, state.placement, _compiled(state), progress),
    )


def _measure_target(state: _Run) -> None:
    """Load an endpoint that is there already, with candidates of the test split, or random ones."""
    scenario = state.scenario
    with state.stage("data"):
        if scenario.has_data:
            state.progress(f"data: {scenario.data.kind}")
            splits = load_data(scenario.data, state.settings.cache)
            data = splits.test
            state.learn(data=describe_data(splits))
        else:
            data = random_candidates(scenario.traffic)
            state.learn(data={"candidates": "random, standard normal", "n_features": data.n_features})
    _load(state, reaching(scenario, data, state.run_dir.path, state.placement, state.progress))


def _load(state: _Run, opening: AbstractContextManager[Session]) -> None:
    """The load test of a session's members, and the audit of their answers."""
    scenario, path = state.scenario, state.run_dir.path
    with state.stage("load"), opening as session:
        samples, info = session.load(scenario.traffic, path / "load")
        samples.save(path / "samples.npz")
        state.learn(load=info, targets=session.infos())
    with state.stage("audit"):
        state.progress("auditing the answers")
        state.learn(audits=session.audits(samples, scenario.traffic, path / "load", scenario.sla.ndcg))


def _timed(state: _Run, steps: Sequence[Step], splits: Splits) -> tuple[LedgerRow, ...]:
    """The ledger with engine times: every bundle by its reference engine, the last by the scenario's own as well."""
    scenario = state.scenario
    bundles = [bundle for step in steps for bundle in (step.bundle, step.control) if bundle is not None]
    entries = [(bundle, Choice(kind=reference_engine(bundle.manifest))) for bundle in bundles]
    last = steps[-1].bundle
    own = scenario.engine != Choice(kind=reference_engine(last.manifest))
    if own:
        state.progress(f"engine {scenario.engine.kind}")
        entries.append((last, scenario.engine))
    scorers = [_open(bundle, engine, state) for bundle, engine in entries]
    state.progress("engine times, interleaved")
    times = engine_times_us(scorers, splits.test, scenario.traffic.n_candidates, state.placement.server)
    known = [
        {"engine": engine.kind, "engine_us": median, "engine_us_p99": p99}
        for (_, engine), (median, p99) in zip(entries, times, strict=True)
    ]
    figures = iter(known)
    rows = []
    for step in steps:
        row = step.row.model_copy(update=next(figures))
        if row.control is not None:
            row = row.model_copy(update={"control": row.control.model_copy(update=next(figures))})
        rows.append(row)
    if own:
        served = {"step": f"served by {scenario.engine.kind}", "params": scenario.engine.options, "control": None}
        rows.append(steps[-1].row.model_copy(update=served | {"build_s": 0.0, "notes": ()} | next(figures)))
    return tuple(rows)


def _open(bundle: Bundle, engine: Choice, state: _Run) -> Scorer:
    plugin, chosen = registry.engine(engine.kind), options("engines", engine)
    reason = plugin.refuses(chosen, bundle.manifest)
    if reason:
        raise EngineError(
            reason, where=f"engine: {engine.kind}", remedy="choose another engine (`harness list engines`)"
        )
    return plugin.open(chosen, bundle, _compiled(state))


def _compiled(state: _Run) -> Path:
    """Where engines keep compiled code; inside the run directory where nothing may be reused."""
    cache = state.settings.cache
    return (cache.root if cache.enabled else state.run_dir.path) / "compiled"


def publish(run_dir: RunDir) -> Report:
    """Judge a finished run from its files and write every saved format; measures nothing."""
    measured, samples = run_dir.measurements(), run_dir.samples()
    report = judge(run_dir.scenario(), measured, samples).model_copy(update={"run": run_dir.path.name})
    for name in SAVED_FORMATS:
        plugin = registry.report_format(name)
        run_dir.write(plugin.SUFFIX, plugin.render(report, samples))
    return report


__all__ = ["RunDir", "Settings", "publish", "run", "save_suite"]
