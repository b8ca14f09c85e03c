"""`min_qps` is decided by a load test at that rate or above: the run's own, or one more."""

import numpy as np
import pytest

from harness.judge.verdict import judge
from harness.pipeline.min_qps import traffic_at_min_qps
from harness.records import Measurements, TargetInfo
from harness.scenario import Scenario

SERVICE_RATE = 400.0


def scenario_of(min_qps, offered_qps=100.0, arrival="poisson", **sla):
    traffic = {"offered_qps": offered_qps, "arrival": arrival, "rounds": 4, "seed": 7}
    return Scenario.model_validate({"name": "s", "traffic": traffic, "sla": {"min_qps": min_qps, **sla}})


def measured(load, at_min_qps=None):
    return Measurements(
        tool_version="0", created="", command="", scenario={}, environment={}, complete=True,
        targets=(TargetInfo(target="compressed", engine="e"),), load=load, min_qps_load=at_min_qps,
    )  # fmt: skip


@pytest.fixture
def decide(mm1_samples, load_info):
    """Status and reason of `min_qps`, for an M/M/1 server; one more load test at `again_qps`, of info `again`."""

    def decide(scenario, again_qps=None, failed=0, **again):
        rng = np.random.default_rng(1)
        offered_qps = scenario.traffic.offered_qps
        samples = mm1_samples(rng, offered_qps, SERVICE_RATE, 60)
        if failed:
            samples.status[np.flatnonzero(samples.in_window)[:failed]] = 500
        more = None if again_qps is None else mm1_samples(rng, again_qps, SERVICE_RATE, 60)
        info = None if again_qps is None else load_info(again_qps).model_copy(update=again)
        report = judge(scenario, measured(load_info(offered_qps), info), samples, more)
        assert [result.name for result in report.verdict.objectives] == list(scenario.sla.objectives)
        result = next(result for result in report.verdict.objectives if result.name == "min_qps")
        return result.status.value, result.reason

    return decide


def test_a_run_that_offers_as_much_decides_by_its_own_objectives(decide):
    assert decide(scenario_of(100, p99_ms=100))[0] == "PASS"
    assert decide(scenario_of(90, p99_ms=100))[0] == "PASS"
    status, reason = decide(scenario_of(100, p99_ms=5))
    assert status == "FAIL"
    assert "p99_ms" in reason


def test_a_miss_at_a_higher_rate_says_nothing_of_a_lower_one(decide):
    status, reason = decide(scenario_of(50, p99_ms=5))
    assert (status, "a lower rate was not tested" in reason) == ("INCONCLUSIVE", True)


def test_a_run_that_offers_less_is_decided_by_the_load_test_at_that_rate(decide):
    assert decide(scenario_of(200, p99_ms=100), again_qps=200)[0] == "PASS"
    status, reason = decide(scenario_of(390, p99_ms=100), again_qps=390)
    assert (status, "390" in reason) == ("FAIL", True)


def test_a_load_test_that_can_not_be_trusted_decides_nothing_and_says_why(decide):
    status, reason = decide(scenario_of(200, p99_ms=100), again_qps=200, loop_lag_ms_max=60, n_workers_lost=1)
    assert status == "INCONCLUSIVE"
    assert reason.endswith("its load test can't be trusted (loop-lag, worker-lost)")


def test_a_saved_run_without_that_load_test_is_still_judged(decide):
    status, reason = decide(scenario_of(200, p99_ms=100))
    assert (status, "raise traffic.offered_qps" in reason) == ("INCONCLUSIVE", True)
    assert decide(scenario_of(200, p99_ms=5))[0] == "FAIL", "what is missed at a lower rate is missed at a higher"


def test_requests_that_were_lost_are_not_answered(decide):
    assert decide(scenario_of(100), failed=1500)[0] == "FAIL"
    assert decide(scenario_of(100))[0] == "PASS"
    assert decide(scenario_of(200), again_qps=200)[0] == "PASS"


def test_the_load_test_is_at_the_rate_asked_for_where_the_run_offers_less():
    traffic = traffic_at_min_qps(scenario_of(200))
    assert (traffic.offered_qps, traffic.rounds, traffic.seed) == (200, 1, 8)
    assert traffic_at_min_qps(scenario_of(100)) is None
    assert traffic_at_min_qps(scenario_of(200, arrival="closed")) is None
    assert traffic_at_min_qps(Scenario.model_validate({"name": "s", "sla": {"p99_ms": 1}})) is None
