"""The capacity search against simulated M/M/1 queues: their percentiles, ln(1/(1-q)) / (mu - rate), are known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.judge.capacity import capacity_point, crossing, interval, knee, strain
from harness.judge.search import Look, search, search_in_turn
from harness.records import Finding, Measurements, RateTest, TargetInfo, VerdictStatus
from harness.scenario import Scenario, Sla

SERVICE_RATE = 420.0
EDGE_QPS = SERVICE_RATE - math.log(100) / 0.050
SCENARIO = Scenario.model_validate({"name": "s", "sla": {"p99_ms": 50}})
TARGET = TargetInfo(target="compressed", engine="fake")
MEASURED = Measurements(
    tool_version="0", created="", command="", scenario={}, environment={}, complete=True,
    targets=(TARGET,),
)  # fmt: skip
OVERHEAD_S = 2.0


class Queue:
    """A simulated server and its clock: a look takes its warm-up, its window and some overhead."""

    def __init__(self, seed, mm1_samples, load_info, scenario=SCENARIO, honest_up_to=math.inf):
        self.rng = np.random.default_rng(seed)
        self.simulate, self.load_info, self.scenario, self.honest_up_to = mm1_samples, load_info, scenario, honest_up_to
        self.now_s = 0.0

    def look_at(self, look, window_s):
        self.now_s += window_s + 2 + OVERHEAD_S
        rate = look.offered_qps
        samples = self.simulate(self.rng, rate, SERVICE_RATE, window_s)
        trouble = Finding(name="generator-busy", message="it was", remedy="more cores", hard=True)
        measured = MEASURED.model_copy(update={"findings": (trouble,) if rate > self.honest_up_to else ()})
        info = self.load_info(rate)
        test = RateTest(info=TARGET, load=info, near_edge=look.near_edge, samples="")
        return capacity_point(self.scenario, measured, samples, test)

    def search(self, start_qps, budget_s=150):
        points = search(self.look_at, start_qps, budget_s, 2.0, lambda: self.now_s)
        assert self.now_s <= budget_s
        return points


def test_the_search_finds_the_capacity_of_a_queue_from_either_side(mm1_samples, load_info):
    lowers, uppers, errors = [], [], []
    for start_qps in (20, 100, 330, 3000):
        for seed in range(5):
            points = Queue(seed, mm1_samples, load_info).search(start_qps)
            lower, upper = interval(points)
            assert lower < EDGE_QPS < upper
            errors.append(abs(crossing(points) / EDGE_QPS - 1))
            lowers.append(lower)
            uppers.append(upper)
    assert np.quantile(errors, 0.9) < 0.1
    assert np.median(lowers) > 0.6 * EDGE_QPS
    assert np.median(uppers) < 1.3 * EDGE_QPS


def test_the_knee_of_an_mm1_queue_is_at_half_its_service_rate(mm1_samples, load_info):
    """Power, rate / latency, is rate * (mu - rate) / constant: highest at mu / 2 for every percentile."""
    queue = Queue(1, mm1_samples, load_info)
    points = [queue.look_at(Look(rate, near_edge=False), 120) for rate in (20, 40, 80, 160, 320, 380)]
    assert knee(points) == pytest.approx(SERVICE_RATE / 2, rel=0.1)
    assert math.isnan(knee(points[:2]))
    assert math.isnan(knee(points[-1:]))


def test_only_what_the_generator_can_honestly_send_is_judged(mm1_samples, load_info):
    """The generator is too slow for the edge: no rate fails, the search ends by itself, no estimate is made up."""
    points = Queue(1, mm1_samples, load_info, honest_up_to=150).search(100, budget_s=300)
    lower, upper = interval(points)
    assert 100 <= lower < 150
    assert upper == math.inf
    assert math.isnan(crossing(points))
    invalid = [p.offered_qps for p in points if p.status is VerdictStatus.INVALID]
    assert len(invalid) == 2 * len(set(invalid)), "each rate gets a second chance"


def test_a_disturbance_that_passes_does_not_end_the_search(mm1_samples, load_info):
    """Every third load test can't be trusted, whatever its rate."""
    queue = Queue(1, mm1_samples, load_info)
    seen = []

    def look_at(look, window_s):
        seen.append(look)
        queue.honest_up_to = 0 if len(seen) % 3 == 1 else math.inf
        return queue.look_at(look, window_s)

    points = search(look_at, 100, 200, 2.0, lambda: queue.now_s)
    assert points[0].status is VerdictStatus.INVALID
    assert crossing(points) == pytest.approx(EDGE_QPS, rel=0.15)
    lower, upper = interval(points)
    assert lower < EDGE_QPS < upper < math.inf


def test_two_sides_are_searched_in_turn_within_one_budget(mm1_samples, load_info):
    """One queue stands for both sides: a slow one, whose limit is tighter, and a fast one."""
    now_s, seen = 0.0, []
    sides = {
        name: Queue(1, mm1_samples, load_info, Scenario.model_validate({"name": "s", "sla": {"p99_ms": limit_ms}}))
        for name, limit_ms in (("slow", 25), ("fast", 100))
    }

    def look_at(side, look, window_s):
        nonlocal now_s
        before_s = sides[side].now_s
        point = sides[side].look_at(look, window_s)
        now_s += sides[side].now_s - before_s
        seen.append(side)
        return point

    points = search_in_turn(look_at, list(sides), 100, 300, 2.0, lambda: now_s)
    assert now_s <= 300
    assert seen[:4] == ["slow", "fast", "slow", "fast"]
    assert abs(sides["slow"].now_s - sides["fast"].now_s) < 40
    for name, limit_ms in (("slow", 25), ("fast", 100)):
        lower, upper = interval(points[name])
        assert lower < SERVICE_RATE - math.log(100) / (limit_ms / 1e3) < upper


def test_a_side_other_than_the_subject_is_judged_as_strictly(mm1_samples, load_info):
    """A finding about the teacher's windows makes its point INVALID, as it would the compressed ranker's."""
    rng = np.random.default_rng(1)
    samples = mm1_samples(rng, 100, SERVICE_RATE, 20)
    late = replace(samples, targets=("teacher",), sent_s=samples.due_s + 0.02, done_s=samples.done_s + 0.02)
    test = RateTest(info=TargetInfo(target="teacher", engine="fake"), load=load_info(100), near_edge=False, samples="")
    point = capacity_point(SCENARIO, MEASURED, late, test)
    assert point.measure.target == "teacher"
    assert point.status is VerdictStatus.INVALID
    assert "send-lag" in {finding.name for finding in point.findings if finding.hard}


def test_a_slow_start_gets_the_time_it_needs(mm1_samples, load_info):
    """At 2 requests a second a short look lasts as long as some dozens of requests take."""
    queue = Queue(1, mm1_samples, load_info)
    points = queue.search(2)
    assert points[0].measure.n_planned > 10
    assert max(p.offered_qps for p in points) > 60


def test_a_server_that_never_meets_the_sla_has_no_lower_end(mm1_samples, load_info):
    hopeless = Scenario.model_validate({"name": "s", "sla": {"p50_ms": 1}})
    points = Queue(1, mm1_samples, load_info, hopeless).search(100)
    lower, upper = interval(points)
    assert lower == 0
    assert upper < 30


def test_the_interval_widens_around_contradictions(mm1_samples, load_info):
    queue = Queue(1, mm1_samples, load_info)
    point = queue.look_at(Look(100.0, near_edge=False), 10)

    def of(*verdicts):
        return interval([point.model_copy(update={"offered_qps": r, "status": VerdictStatus(s)}) for r, s in verdicts])

    assert of((100, "PASS"), (200, "FAIL")) == (100, 200)
    assert of((100, "PASS"), (150, "FAIL"), (160, "PASS"), (200, "FAIL")) == (100, 200)
    assert of((100, "INCONCLUSIVE"), (200, "INVALID")) == (0, math.inf)


def test_failed_requests_strain_the_error_rate(mm1_samples, load_info):
    measure = Queue(1, mm1_samples, load_info).look_at(Look(100.0, near_edge=False), 10).measure
    failing = measure.model_copy(update={"error_rate": 0.002})
    sla = Sla.model_validate({"error_rate": 0.001})
    assert strain(sla, measure) == 0
    assert strain(sla, failing) == pytest.approx(2)
    assert strain(Sla.model_validate({"error_rate": 0}), failing) == math.inf


def test_a_disturbance_that_passes_costs_two_looks_at_a_rate_and_no_more(mm1_samples, load_info):
    queue = Queue(3, mm1_samples, load_info)

    class Disturbed(Queue):
        def look_at(self, look, window_s):
            self.honest_up_to = 50 if 40 < self.now_s < 80 else math.inf
            return super().look_at(look, window_s)

    queue.__class__ = Disturbed
    points = queue.search(100)
    invalid = [p.offered_qps for p in points if p.status is VerdictStatus.INVALID]
    assert invalid
    assert max(invalid.count(rate) for rate in invalid) <= 2
    assert len(points) - len(invalid) >= 6
