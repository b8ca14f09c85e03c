"""The only module that knows the order of the stages: data, build, bench, serve and load, judge, report."""

from __future__ import annotations

from collections.abc import Sequence

from harness import registry
from harness.bundle import Bundle
from harness.errors import EngineError, HarnessError
from harness.judge.verdict import judge
from harness.load.trace import read_trace
from harness.ndcg import ndcg, quality_drop
from harness.pipeline.auto_engine import settle
from harness.pipeline.build import Step
from harness.pipeline.data import candidates, describe_data
from harness.pipeline.engine_times import engine_times_us
from harness.pipeline.external import reaching
from harness.pipeline.load_stage import load_and_audit
from harness.pipeline.prepare import chain, loaded
from harness.pipeline.rate_tests import check_searchable, judged_capacities
from harness.pipeline.run_dir import SAVED_FORMATS, RunDir
from harness.pipeline.session import serving
from harness.pipeline.sides import sides
from harness.pipeline.state import RunState, Settings
from harness.pipeline.suite import save_suite
from harness.protocols import Progress, Scorer
from harness.ranking_data import Splits
from harness.records import LedgerRow, QualityDrop, Report
from harness.scenario import Choice, Scenario, options
from harness.scoring import quality, reference_engine, scores_of


def run(scenario: Scenario, settings: Settings, progress: Progress) -> tuple[RunDir, Report]:
    """Scenario -> RankingData -> Bundle -> Bundle' -> engine behind HTTP -> Samples -> Audit -> Verdict -> Report.

    A scenario's `target` takes the place of all between the data and the samples.

    Whatever fails or interrupts a stage, what was measured before it is kept in the run directory, judged INVALID, and
    the error is raised on.
    """
    if scenario.capacity is not None:
        check_searchable(scenario)
    state = RunState.begin(scenario, settings, progress)
    try:
        _measure(state)
    except BaseException as error:
        _keep(state, error)
        raise
    return state.run_dir, publish(state.run_dir)


def _keep(state: RunState, error: BaseException) -> None:
    """Write what there is, with the reason why there is no more; a disk that is full too does not hide that reason."""
    try:
        state.fail(error)
        publish(state.run_dir)
    except HarnessError as second:
        state.progress(f"could not write the report of the unfinished run: {second}")


def _measure(state: RunState) -> None:
    measure = _measure_ranker if state.scenario.target is None else _measure_target
    measure(state)
    state.learn(complete=state.load_complete, stage_s=state.stage_s)


def _measure_ranker(state: RunState) -> None:
    """Build the ranker, serve it beside its teacher, and load both."""
    scenario, cache, progress = state.scenario, state.settings.cache, state.progress
    read_trace(scenario.traffic)  # what is wrong with it is better said before an hour of training
    with state.stage("data"):
        splits = loaded(scenario, cache, progress)
        state.learn(data=describe_data(splits))
    with state.stage("build"):
        steps = chain(scenario, splits, cache, progress)
        state.learn(ledger=tuple(step.row for step in steps))
        state.run_dir.keep_bundle(steps[-1].bundle)
    with state.stage("engines"):
        settle(state, steps[-1].bundle, splits.test)
        state.learn(ledger=_timed(state, steps, splits))
    scenario = state.scenario
    served, path = sides(scenario, steps[0].bundle, steps[-1].bundle), state.run_dir.path
    load_and_audit(state, serving(served, scenario, splits.test, path, state.placement, state.compiled, progress))


def _measure_target(state: RunState) -> None:
    """Load an endpoint that is there already, with candidates of the test split, or random ones."""
    scenario = state.scenario
    with state.stage("data"):
        data, about = candidates(scenario, state.settings.cache, state.progress)
        state.learn(data=about)
    load_and_audit(state, reaching(scenario, data, state.run_dir.path, state.placement, state.progress))


def _timed(state: RunState, steps: Sequence[Step], splits: Splits) -> tuple[LedgerRow, ...]:
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
        lost = _quality_served(state, steps, scorers[-1], splits)
        rows.append(steps[-1].row.model_copy(update=served | lost | {"build_s": 0.0, "notes": ()} | next(figures)))
    return tuple(rows)


def _quality_served(state: RunState, steps: Sequence[Step], scorer: Scorer, splits: Splits) -> dict[str, QualityDrop]:
    """What the ranker is worth by a lossy engine's own scores; nothing new for any other engine."""
    if "lossy" not in scorer.info:
        return {}
    spec, test = state.scenario.sla.ndcg, splits.test
    own = ndcg(scores_of(scorer, test.features), test, spec)
    return {"quality": quality_drop(quality(steps[0].bundle, test, spec), own)}


def _open(bundle: Bundle, engine: Choice, state: RunState) -> Scorer:
    plugin, chosen = registry.engine(engine.kind), options("engines", engine)
    reason = plugin.refuses(chosen, bundle.manifest)
    if reason:
        raise EngineError(
            reason, where=f"engine: {engine.kind}", remedy="choose another engine (`harness list engines`)"
        )
    return plugin.open(chosen, bundle, state.compiled)


def publish(run_dir: RunDir) -> Report:
    """Judge a finished run from its files and write every saved format; measures nothing."""
    measured, samples = run_dir.measurements(), run_dir.samples()
    report = judge(run_dir.scenario(), measured, samples, run_dir.samples_at_min_qps())
    capacities = judged_capacities(run_dir.scenario(), measured, run_dir)
    report = report.model_copy(update={"run": run_dir.path.name, "capacities": capacities})
    for name in SAVED_FORMATS:
        plugin = registry.report_format(name)
        run_dir.write(plugin.SUFFIX, plugin.render(report, samples))
    return report


__all__ = ["RunDir", "Settings", "publish", "run", "save_suite"]
