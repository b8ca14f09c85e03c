"""Comparisons against simulated pairs of M/M/1 queues, where the ratio of any percentile is known."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cli.compare import comparison_code
from harness.judge.compare import answer, differences, judge_comparison, paired_rounds
from harness.records import Finding, Measurements, TargetInfo
from harness.scenario import Scenario

RATE = 200.0
TIMEOUT_MS = 2000.0
TRAFFIC = {"offered_qps": RATE}
SCENARIO = Scenario.model_validate({"name": "s", "traffic": TRAFFIC, "sla": {"p99_ms": 50}})
MEASURED = Measurements(
    tool_version="0", created="", command="", scenario={}, environment={}, complete=True,
    targets=(TargetInfo(target="A", engine="e"), TargetInfo(target="B", engine="e")),
)  # fmt: skip
SIDES = {"A": "a/bundle", "B": "b/bundle"}
N_PAIRS = 40


@pytest.mark.parametrize("rates", [(400.0, 400.0), (400.0, 360.0)], ids=["equal", "different"])
def test_intervals_cover_the_true_ratio_as_often_as_they_say(mm1_pairs, rates):
    """Of 40 intervals at 95 %, fewer than 33 cover once in 3,000 times; the true ratio is that of mu - rate."""
    rng = np.random.default_rng(1)
    truth = (rates[0] - RATE) / (rates[1] - RATE)
    covered = {"p50": 0, "p99": 0}
    for _ in range(N_PAIRS):
        for diff in differences(paired_rounds(mm1_pairs(rng, RATE, rates, 12, 1.5), TIMEOUT_MS), 0.05):
            covered[diff.percentile] += diff.ratio_lower <= truth <= diff.ratio_upper
    assert min(covered.values()) >= 33


def test_a_large_difference_is_decided_and_the_sides_are_not_mixed_up(mm1_pairs):
    samples = mm1_pairs(np.random.default_rng(1), RATE, (400.0, 250.0), 20, 2)
    for diff in judge_comparison(SCENARIO, MEASURED, samples, SIDES, 0.05).differences:
        assert diff.answer == "A faster"
        assert diff.ratio_lower < 4 < diff.ratio_upper
        assert diff.difference_lower_ms < diff.b_ms - diff.a_ms == diff.difference_ms < diff.difference_upper_ms
        assert diff.difference_lower_ms > 0
    swapped = mm1_pairs(np.random.default_rng(1), RATE, (250.0, 400.0), 20, 2)
    assert {d.answer for d in judge_comparison(SCENARIO, MEASURED, swapped, SIDES, 0.05).differences} == {"B faster"}


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((1.06, 1.2), "A faster"),
        ((0.8, 0.94), "B faster"),
        ((0.96, 1.04), "no difference"),
        ((1.01, 1.04), "no difference"),
        ((1.01, 1.2), "undecided"),
        ((0.7, 1.3), "undecided"),
    ],
)
def test_answers(interval, expected):
    assert answer(*interval, min_effect=0.05) == expected


def test_without_a_smallest_effect_any_certain_difference_counts():
    assert answer(1.001, 1.01, min_effect=0) == "A faster"


def test_what_cannot_be_trusted_is_undecided(mm1_pairs):
    samples = mm1_pairs(np.random.default_rng(1), RATE, (400.0, 250.0), 20, 2)
    shared = Finding(name="shared-core", message="one core", remedy="two", hard=True)
    found = judge_comparison(SCENARIO, MEASURED.model_copy(update={"findings": (shared,)}), samples, SIDES, 0.05)
    assert {diff.answer for diff in found.differences} == {"undecided"}
    assert found.differences[0].ratio > 1


def test_a_disturbance_of_either_side_makes_it_undecided_and_is_named(mm1_pairs):
    samples = mm1_pairs(np.random.default_rng(1), RATE, (400.0, 250.0), 20, 2)
    of_b = samples.target == 1
    late = replace(samples, sent_s=samples.sent_s + 0.02 * of_b, done_s=samples.done_s + 0.02 * of_b)
    found = judge_comparison(SCENARIO, MEASURED, late, SIDES, 0.05)
    assert {diff.answer for diff in found.differences} == {"undecided"}
    assert [f.target for f in found.findings if f.name == "send-lag" and f.hard] == ["B"]
    assert comparison_code(found) == 4


def test_drift_and_few_samples_do_not_undecide_what_the_intervals_decide(mm1_pairs):
    strict = Scenario.model_validate({"name": "s", "traffic": TRAFFIC, "sla": {"p9999_ms": 50}})
    samples = mm1_pairs(np.random.default_rng(1), RATE, (400.0, 250.0), 20, 2)
    found = judge_comparison(strict, MEASURED, samples, SIDES, 0.05)
    assert {f.name for f in found.findings} >= {"too-few-samples"}
    assert {diff.answer for diff in found.differences} == {"A faster"}


def test_unanswered_requests_count_as_the_time_out_and_are_told(mm1_pairs):
    samples = mm1_pairs(np.random.default_rng(1), RATE, (400.0, 400.0), 10, 2)
    of_b = np.flatnonzero(samples.target == 1)
    samples.status[of_b[::50]] = 503
    found = judge_comparison(SCENARIO, MEASURED, samples, SIDES, 0.05)
    p99 = found.differences[1]
    assert p99.b_ms == TIMEOUT_MS
    assert p99.answer == "A faster"
    (unanswered,) = [finding for finding in found.findings if finding.name == "unanswered"]
    assert unanswered.target == "B"


def test_a_comparison_cut_short_uses_whole_pairs_and_needs_some(mm1_pairs):
    samples = mm1_pairs(np.random.default_rng(1), RATE, (400.0, 250.0), 10, 2)
    cut = samples.where(samples.segment < 13)
    assert judge_comparison(SCENARIO, MEASURED, cut, SIDES, 0.05).n_rounds == 6
    few = judge_comparison(SCENARIO, MEASURED, samples.where(samples.segment < 5), SIDES, 0.05)
    assert (few.n_rounds, few.differences) == (2, ())
    assert judge_comparison(SCENARIO, MEASURED, None, SIDES, 0.05).n_rounds == 0
