"""Load tests at other rates than the scenario's: the looks of a capacity search."""

from __future__ import annotations

from harness.errors import UsageError
from harness.judge.capacity import capacity_point, target_capacity
from harness.judge.search import Look, search_in_turn
from harness.judge.verdict import load_sla
from harness.pipeline.run_dir import RunDir
from harness.pipeline.session import Session
from harness.pipeline.state import RunState
from harness.records import CapacityPoint, Measurements, RateTest, TargetCapacity
from harness.samples import Samples
from harness.scenario import Scenario


def check_searchable(scenario: Scenario) -> None:
    """UsageError where the scenario asks nothing that load decides, or offers no rate."""
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


def rate_test(
    state: RunState, session: Session, target: str, look: Look, window_s: float, number: int, folder: str
) -> tuple[RateTest, CapacityPoint]:
    """The scenario's traffic to one member at another rate, with a schedule seed of its own, measured and judged."""
    traffic = state.scenario.traffic.model_copy(
        update={
            "offered_qps": look.offered_qps,
            "window_s": window_s,
            "rounds": 1,
            "seed": state.scenario.traffic.seed + number,
        }
    )
    name = f"{folder}/{number + 1:02d}-{look.offered_qps:.4g}-qps"
    alone = session.only(target)
    samples, load = alone.load(traffic, state.run_dir.path / name)
    (info,) = alone.infos()
    test = RateTest(info=info, load=load, near_edge=look.near_edge, samples=name)
    point = capacity_point(state.scenario, state.measured, samples, test)
    p99_ms = point.measure.latency_ms["p99"]
    state.progress(f"{target}: {look.offered_qps:.4g} requests/s for {window_s:.0f} s: {point.status}, {p99_ms:.1f} ms")
    return test, point


def search_capacities(state: RunState, session: Session, budget_s: float) -> None:
    """Search the capacity of every member, in turn; each load test is saved as soon as it is measured."""
    names = [member.name for member in session.members]
    counts = dict.fromkeys(names, 0)

    def look_at(target: str, look: Look, window_s: float) -> CapacityPoint:
        test, point = rate_test(state, session, target, look, window_s, counts[target], f"capacity/{target}")
        counts[target] += 1
        state.learn(rate_tests=(*state.measured.rate_tests, test))
        return point

    traffic = state.scenario.traffic
    search_in_turn(look_at, names, traffic.offered_qps, budget_s, traffic.warm_up_s)


def judged_capacities(scenario: Scenario, measured: Measurements, run_dir: RunDir) -> tuple[TargetCapacity, ...]:
    """The capacity of each side whose search was part of a run, from its files; the subject last, as it was asked."""
    tests = measured.rate_tests
    return tuple(
        target_capacity(target, [point_again(scenario, measured, run_dir, t) for t in tests if t.info.target == target])
        for target in dict.fromkeys(test.info.target for test in tests)
    )


def point_again(scenario: Scenario, measured: Measurements, run_dir: RunDir, test: RateTest) -> CapacityPoint:
    """Judge the kept samples of one load test anew."""
    samples = Samples.load(run_dir.path / test.samples / "samples.npz")
    return capacity_point(scenario, measured, samples, test)
