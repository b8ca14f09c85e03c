"""Capacity: one server that stays up, load-tested at one rate after another until the edge of the SLA is found."""

from __future__ import annotations

from contextlib import AbstractContextManager

from harness.judge.capacity import judge_capacity
from harness.judge.search import Look, search
from harness.pipeline.auto_engine import settle
from harness.pipeline.data import candidates, describe_data
from harness.pipeline.external import reaching
from harness.pipeline.members import Served
from harness.pipeline.prepare import built
from harness.pipeline.rate_tests import check_searchable, point_again, rate_test
from harness.pipeline.run_dir import RunDir
from harness.pipeline.session import Session, serving
from harness.pipeline.state import RunState, Settings
from harness.pipeline.studies import keep_study, publish_study, save_study
from harness.protocols import Progress
from harness.records import COMPRESSED, CapacityPoint, RateTest
from harness.scenario import Scenario
from harness.studies import Capacity


def find_capacity(
    scenario: Scenario, settings: Settings, budget_s: float, progress: Progress
) -> tuple[RunDir, Capacity]:
    """The highest rate at which the compressed ranker meets the SLA, within `budget_s` of load tests.

    Every point is saved with its samples as soon as it is measured. UsageError where the scenario asks nothing that
    load decides; whatever else ends the search, what was measured is published, and the error is raised on.
    """
    check_searchable(scenario)
    state = RunState.begin(scenario, settings, progress, "capacity")
    points: list[CapacityPoint] = []

    def judged() -> Capacity:
        return judge_capacity(scenario.name, state.measured, points, budget_s)

    try:
        with state.timed("build"):
            opening = _target(state) if scenario.target is not None else _ranker(state)
        with state.stage("load"), opening as session:

            def look_at(look: Look, window_s: float) -> CapacityPoint:
                target = session.members[0].name
                _, point = rate_test(state, session, target, look, window_s, len(points), "points")
                points.append(point)
                state.learn(targets=session.infos())
                save_study(state.run_dir, judged())
                return point

            search(look_at, scenario.traffic.offered_qps, budget_s, scenario.traffic.warm_up_s)
        state.learn(complete=True, stage_s=state.stage_s)
    except BaseException as error:
        keep_study(state, error, judged)
        raise
    return state.run_dir, publish_study(state.run_dir, judged())


def _ranker(state: RunState) -> AbstractContextManager[Session]:
    """The compressed ranker, built, about to be served."""
    path = state.run_dir.path
    splits, steps = built(state.scenario, state.settings.cache, state.progress)
    state.learn(data=describe_data(splits), ledger=tuple(step.row for step in steps))
    state.run_dir.keep_bundle(steps[-1].bundle)
    settle(state, steps[-1].bundle, splits.test)
    scenario = state.scenario
    side = Served(COMPRESSED, steps[-1].bundle, scenario.engine)
    return serving([side], scenario, splits.test, path, state.placement, state.compiled, state.progress)


def _target(state: RunState) -> AbstractContextManager[Session]:
    """The scenario's target, about to be reached."""
    data, about = candidates(state.scenario, state.settings.cache, state.progress)
    state.learn(data=about)
    return reaching(state.scenario, data, state.run_dir.path, state.placement, state.progress)


def judge_capacity_again(run_dir: RunDir, known: Capacity) -> Capacity:
    """Judge the kept samples of every point anew; measures nothing."""
    measured, scenario = run_dir.measurements(), run_dir.scenario()
    points = []
    for point in known.points:
        then = {"memory_mb": point.measure.memory_mb, "server": point.measure.server}
        info = measured.targets[0].model_copy(update=then)
        test = RateTest(info=info, load=point.load, near_edge=point.near_edge, samples=point.samples)
        points.append(point_again(scenario, measured, run_dir, test))
    return judge_capacity(known.name, measured, points, known.budget_s)
