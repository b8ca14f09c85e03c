"""Finished runs against one another: simulated M/M/1 queues, whose percentiles are known, with and without drift."""

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.errors import UsageError
from harness.judge.finished import FinishedRun, blocks, judge_finished
from harness.records import Finding, Measurements, TargetInfo
from harness.scenario import Scenario

RATE = 200.0
SCENARIO = Scenario.model_validate({"name": "s", "traffic": {"offered_qps": RATE}, "sla": {"p99_ms": 500}})
MEASURED = Measurements(
    tool_version="0", created="2026-01-01T00:00:00+00:00", command="", scenario={}, environment={}, complete=True,
    targets=(TargetInfo(target="compressed", engine="e"),),
)  # fmt: skip


@pytest.fixture
def run_of(mm1_samples):
    """`run_of(seed, service_rate)`: a run of 20 s at 200 requests per second."""

    def made(seed, service_rate=400.0, window_s=20.0):
        samples = mm1_samples(np.random.default_rng(seed), RATE, service_rate, window_s)
        return FinishedRun(f"run-{seed}", SCENARIO, MEASURED, samples)

    return made


def answers(found):
    return {diff.percentile: diff.answer for diff in found.differences}


def test_a_run_that_is_twice_as_slow_is_told_and_the_sides_are_not_mixed_up(run_of):
    found = judge_finished([run_of(1)], run_of(2, 250.0), 0.05)
    assert answers(found) == {"p50": "A faster", "p99": "A faster"}
    assert found.differences[0].ratio_lower < 4 < found.differences[0].ratio_upper, "theory: (400 - 200) / (250 - 200)"
    assert answers(judge_finished([run_of(2, 250.0)], run_of(1), 0.05)) == {"p50": "B faster", "p99": "B faster"}
    assert found.sides == {"A": "run-1", "B": "run-2"}
    assert [measure.target for measure in found.measures] == ["A", "B"]
    assert found.finished.n_before == 1


def test_intervals_of_equal_runs_hold_one_about_as_often_as_they_say(run_of):
    """Of 25 intervals at 95 %, fewer than 20 hold the truth once in 800 times; the seeds are fixed."""
    held = {"p50": 0, "p99": 0}
    for seed in range(25):
        for diff in judge_finished([run_of(2 * seed, window_s=10.0)], run_of(2 * seed + 1), 0.05).differences:
            held[diff.percentile] += diff.ratio_lower <= 1 <= diff.ratio_upper
    assert min(held.values()) >= 20


def test_what_earlier_runs_differ_by_widens_the_intervals(run_of):
    steady = [run_of(seed) for seed in range(4)]
    moody = [run_of(seed, rate) for seed, rate in enumerate((400.0, 330.0, 480.0, 400.0))]
    newest = run_of(9, 330.0)
    narrow, wide = judge_finished(steady, newest, 0.05), judge_finished(moody, newest, 0.05)
    assert narrow.differences[0].answer == "A faster"
    assert wide.differences[0].answer == "undecided"
    assert narrow.finished.between_runs["p50"] < 0.1 < wide.finished.between_runs["p50"]
    alone = judge_finished(steady[:1], newest, 0.05)
    assert math.isnan(alone.finished.between_runs["p50"])
    assert "do not cover" in next(f.message for f in alone.findings if f.name == "not-interleaved")
    assert "4 runs of A" in next(f.message for f in wide.findings if f.name == "not-interleaved")


def test_a_side_that_cannot_be_trusted_makes_every_answer_undecided_and_is_named(run_of):
    shared = Finding(name="shared-core", message="one core", remedy="two", hard=True)
    bad = replace(run_of(2, 250.0), measurements=MEASURED.model_copy(update={"findings": (shared,)}))
    found = judge_finished([run_of(1)], bad, 0.05)
    assert set(answers(found).values()) == {"undecided"}
    assert [(f.target, f.message) for f in found.findings if f.hard] == [("B", "B: one core")]


def test_a_forced_comparison_says_what_differs(run_of):
    found = judge_finished([run_of(1)], run_of(2), 0.05, ["machine cores: 2 and 4"])
    assert found.finished.differing == ("machine cores: 2 and 4",)
    assert any(f.name == "not-alike" and "cores: 2 and 4" in f.message for f in found.findings)


def test_blocks_last_a_second_or_more_and_a_window_of_too_few_is_refused(run_of):
    assert len(blocks(run_of(1))) == 20
    assert len(blocks(run_of(1, window_s=8.0))) == 8
    assert sum(block.size for block in blocks(run_of(1))) == len(run_of(1).samples.judged("compressed"))
    with pytest.raises(UsageError, match=r"makes 3 blocks of 1 s; intervals need 5(.|\n)*traffic.window_s of 5"):
        blocks(run_of(1, window_s=3.0))


def test_unanswered_requests_count_as_the_time_out(run_of):
    lossy = run_of(2)
    lossy.samples.status[::40] = 503
    found = judge_finished([run_of(1)], lossy, 0.05)
    assert found.differences[1].b_ms == SCENARIO.traffic.timeout_s * 1e3
    assert any(f.name == "unanswered" and f.target == "B" for f in found.findings)
