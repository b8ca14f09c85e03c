"""Schedules: arrival processes, seeds, and the same traffic for every target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.errors import LoadError
from harness.load.schedule import digest, plan, plan_all
from harness.load.trace import NO_TRACE
from harness.scenario.traffic import Traffic


def test_poisson_counts_and_gaps_are_those_of_a_poisson_process() -> None:
    traffic = Traffic(offered_qps=200, warm_up_s=0, window_s=100, rounds=1, seed=7)
    due_s = plan(traffic, 1, 8).segments[0].due_s
    assert abs(due_s.size - 20_000) < 4 * np.sqrt(20_000)
    gaps = np.diff(due_s)
    assert stats.kstest(gaps, "expon", args=(0, 1 / 200)).pvalue > 0.01
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.05)
    per_second = np.bincount(due_s.astype(int), minlength=100)
    assert 0.6 < per_second.var() / per_second.mean() < 1.5


def test_constant_gaps_are_equal() -> None:
    due_s = plan(Traffic(arrival="constant", offered_qps=50, warm_up_s=1, window_s=4, rounds=2), 1, 8).segments[0].due_s
    assert due_s.size == 150
    np.testing.assert_allclose(np.diff(due_s), 0.02)


@settings(max_examples=40, deadline=None)
@given(
    qps=st.floats(1, 3000),
    warm_up_s=st.floats(0, 2),
    window_s=st.floats(20, 40),
    rounds=st.integers(1, 3),
    arrival=st.sampled_from(["poisson", "constant", "bursty"]),
)
def test_due_times_ascend_and_stay_in_the_segment(
    qps: float, warm_up_s: float, window_s: float, rounds: int, arrival: str
) -> None:
    traffic = Traffic(arrival=arrival, offered_qps=qps, warm_up_s=warm_up_s, window_s=window_s, rounds=rounds)
    for segment in plan(traffic, 2, 4).segments:
        assert segment.duration_s == pytest.approx(warm_up_s + window_s / rounds)
        assert segment.body.size == segment.due_s.size
        assert (np.diff(segment.due_s) >= 0).all()
        assert segment.due_s[0] >= 0
        assert segment.due_s[-1] < segment.duration_s


def test_targets_share_a_rounds_traffic_and_alternate() -> None:
    schedule = plan(Traffic(rounds=3, window_s=9), 2, 16)
    assert [(s.round, s.target) for s in schedule.segments] == [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1)]
    first, second, third, *_ = schedule.segments
    np.testing.assert_array_equal(first.due_s, second.due_s)
    np.testing.assert_array_equal(first.body, second.body)
    assert not np.array_equal(second.due_s[:50], third.due_s[:50])
    assert schedule.n_planned == sum(s.due_s.size for s in schedule.segments)
    assert schedule.duration_s == pytest.approx(6 * (2 + 3))


def test_hash_covers_seed_and_plan() -> None:
    traffic = Traffic()
    hashes = [
        plan(traffic, 2, 16).sha256,
        plan(traffic.model_copy(update={"seed": 2}), 2, 16).sha256,
        plan(traffic.model_copy(update={"offered_qps": 101.0}), 2, 16).sha256,
        plan(traffic.model_copy(update={"arrival": "closed"}), 2, 16).sha256,
        plan(traffic, 1, 16).sha256,
        plan(traffic, 2, 17).sha256,
    ]
    assert len(set(hashes)) == len(hashes)
    assert plan(traffic, 2, 16).sha256 == hashes[0]


def test_every_body_is_used() -> None:
    assert set(plan(Traffic(), 1, 16).segments[0].body.tolist()) == set(range(16))


def test_closed_plans_bodies_but_no_times() -> None:
    schedule = plan(Traffic(arrival="closed"), 1, 16)
    assert schedule.n_planned == 0
    assert schedule.segments[0].body.size == 16


@pytest.mark.parametrize("arrival", ["poisson", "constant"])
def test_a_window_without_requests_is_refused(arrival: str) -> None:
    traffic = Traffic(arrival=arrival, offered_qps=0.01, window_s=1, rounds=1)
    with pytest.raises(LoadError, match="no request falls into"):
        plan_all(traffic, 1, 1, 0, 2, NO_TRACE)


def test_later_rounds_continue_the_streams() -> None:
    whole = plan(Traffic(rounds=4, window_s=8), 2, 16)
    later = plan(Traffic(rounds=2, window_s=4), 2, 16, first_round=2)
    for a, b in zip(whole.segments[4:], later.segments, strict=True):
        assert (a.round, a.target) == (b.round, b.target)
        np.testing.assert_array_equal(a.due_s, b.due_s)
        np.testing.assert_array_equal(a.body, b.body)
    assert later.sha256 != plan(Traffic(rounds=2, window_s=4), 2, 16).sha256


def test_workers_have_streams_of_their_own_that_add_up() -> None:
    traffic = Traffic(offered_qps=300, warm_up_s=0, window_s=60, rounds=1)
    schedules = plan_all(traffic, 1, 8, 0, 3, NO_TRACE)
    due_s = [schedule.segments[0].due_s for schedule in schedules]
    for part in due_s:
        assert abs(part.size - 6000) < 4 * np.sqrt(6000)
    assert stats.kstest(np.diff(np.sort(np.concatenate(due_s))), "expon", args=(0, 1 / 300)).pvalue > 0.01
    n_common = min(map(len, due_s))
    assert abs(np.corrcoef(np.diff(due_s[0][:n_common]), np.diff(due_s[1][:n_common]))[0, 1]) < 0.06
    assert digest(schedules) not in {schedule.sha256 for schedule in schedules}
    assert digest(schedules[:1]) == schedules[0].sha256


def test_constant_workers_interleave() -> None:
    traffic = Traffic(arrival="constant", offered_qps=50, warm_up_s=0, window_s=4, rounds=1)
    due_s = [schedule.segments[0].due_s for schedule in plan_all(traffic, 1, 8, 0, 3, NO_TRACE)]
    np.testing.assert_allclose(np.sort(np.concatenate(due_s)), np.arange(200) / 50)
