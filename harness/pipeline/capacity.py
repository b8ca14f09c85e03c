"""Capacity: one server that stays up, load-tested at one rate after another until the edge of the SLA is found."""

from __future__ import annotations

from contextlib import AbstractContextManager

from harness.errors import UsageError
from harness.judge.capacity import capacity_point, judge_capacity
from harness.judge.search import Look, search
from harness.judge.verdict import load_sla
from harness.pipeline.auto_engine import settle
from harness.pipeline.data import candidates, describe_data
from harness.pipeline.external import reaching
from harness.pipeline.members import Served
from harness.pipeline.prepare import built
from harness.pipeline.run_dir import RunDir
from harness.pipeline.session import Session, serving
from harness.pipeline.state import RunState, Settings
from harness.pipeline.studies import keep_study, publish_study, save_study
from harness.protocols import Progress
from harness.records import COMPRESSED
from harness.samples import Samples
from harness.scenario import Scenario
from harness.studies import Capacity, CapacityPoint


def find_capacity(
    scenario: Scenario, settings: Settings, budget_s: float, progress: Progress
) -> tuple[RunDir, Capacity]:
    """The highest rate at which the compressed ranker meets the SLA, within `budget_s` of load tests.

    Every point is saved with its samples as soon as it is measured. UsageError where the scenario asks nothing that
    load decides; whatever else ends the search, what was measured is published, and the error is raised on.
    """
    _check(scenario)
    state = RunState.begin(scenario, settings, progress, "capacity")
    points: list[CapacityPoint] = []

    def judged() -> Capacity:
        return judge_capacity(scenario.name, state.measured, points, budget_s)

    try:
        with state.stage("build"):
            opening = _target(state) if scenario.target is not None else _ranker(state)
        with state.stage("load"), opening as session:

            def look_at(look: Look, window_s: float) -> CapacityPoint:
                points.append(_measure(state, session, look, window_s, n_before=len(points)))
                save_study(state.run_dir, judged())
                return points[-1]

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
        targets = tuple(info.model_copy(update=then) for info in measured.targets)
        samples = Samples.load(run_dir.path / point.samples / "samples.npz")
        seen = measured.model_copy(update={"targets": targets})
        points.append(
            capacity_point(scenario, seen, samples, point.load, near_edge=point.near_edge, folder=point.samples)
        )
    return judge_capacity(known.name, measured, points, known.budget_s)


def _check(scenario: Scenario) -> None:
    if load_sla(scenario.sla) is None:
        raise UsageError(
            "the SLA has neither a latency objective nor an error rate, so no rate is too high for it",
            where=scenario.name,
            remedy="add an objective such as sla.p99_ms: 25",
        )
    if scenario.traffic.arrival == "closed":
        raise UsageError(
            "closed arrival has no rate to search: it sends as fast as the server answers",
            where=scenario.name,
            remedy="use traffic.arrival: poisson, or add --set traffic.arrival=poisson",
        )


def _measure(state: RunState, session: Session, look: Look, window_s: float, n_before: int) -> CapacityPoint:
    """One load test of the search: the scenario's traffic at another rate, with a schedule seed of its own."""
    traffic = state.scenario.traffic.model_copy(
        update={
            "offered_qps": look.offered_qps,
            "window_s": window_s,
            "rounds": 1,
            "seed": state.scenario.traffic.seed + n_before,
        }
    )
    name = f"points/{n_before + 1:02d}-{look.offered_qps:.4g}-qps"
    samples, load = session.load(traffic, state.run_dir.path / name)
    state.learn(targets=session.infos())
    point = capacity_point(state.scenario, state.measured, samples, load, near_edge=look.near_edge, folder=name)
    p99_ms = point.measure.latency_ms["p99"]
    state.progress(f"{look.offered_qps:.4g} requests/s for {window_s:.0f} s: {point.status}, p99 {p99_ms:.1f} ms")
    return point
