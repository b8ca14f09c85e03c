"""The only module that knows the order of the stages: data, build, bench, serve and load, judge, report."""

from __future__ import annotations

from harness.errors import HarnessError
from harness.events import FAILED, ScenarioDone, ScenarioStarted, stage
from harness.load.trace import read_trace
from harness.pipeline.auto_engine import settle
from harness.pipeline.data import candidates, describe_data, splits_of
from harness.pipeline.external import reaching
from harness.pipeline.ledger import open_all, timed
from harness.pipeline.load_stage import load_and_audit
from harness.pipeline.plan import Timekeeper, plan_of
from harness.pipeline.prepare import chain
from harness.pipeline.publishing import publish
from harness.pipeline.rate_tests import check_searchable
from harness.pipeline.run_dir import RunDir
from harness.pipeline.session import serving
from harness.pipeline.sides import sides
from harness.pipeline.state import RunState, Settings
from harness.pipeline.suite import save_suite
from harness.protocols import Progress
from harness.records import Report
from harness.scenario import Scenario


def run(scenario: Scenario, settings: Settings, progress: Progress) -> tuple[RunDir, Report]:
    """Scenario -> RankingData -> Bundle -> Bundle' -> engine behind HTTP -> Samples -> Audit -> Verdict -> Report.

    A scenario's `target` takes the place of all between the data and the samples.

    Whatever fails or interrupts a stage, what was measured before it is kept in the run directory, judged INVALID, and
    the error is raised on.
    """
    if scenario.capacity is not None:
        check_searchable(scenario)
    plan = plan_of(scenario, settings.cache)
    state = RunState.begin(scenario, settings, Timekeeper(scenario, plan, settings.cache, progress))
    state.progress(ScenarioStarted(plan))
    try:
        _measure(state)
    except BaseException as error:
        _keep(state, error)
        state.progress(ScenarioDone(scenario.name, FAILED, state.run_dir.path.name))
        raise
    with stage(state.progress, "report"):
        report = publish(state.run_dir)
    state.progress(ScenarioDone(scenario.name, report.verdict.status.value, state.run_dir.path.name))
    return state.run_dir, report


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
        splits = splits_of(scenario, cache, progress)
        state.learn(data=describe_data(splits))
    with state.timed("build"):
        steps = chain(scenario, splits, cache, progress)
        state.learn(ledger=tuple(step.row for step in steps))
        state.run_dir.keep_bundle(steps[-1].bundle)
    with state.timed("engines"):
        with stage(state.progress, "engines"):
            settle(state, steps[-1].bundle, splits.test)
            opened = open_all(state, steps)
        state.learn(ledger=timed(state, steps, opened, splits))
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


__all__ = ["RunDir", "Settings", "publish", "run", "save_suite"]
