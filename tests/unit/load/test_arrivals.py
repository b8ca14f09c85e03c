"""Bursts and replayed recordings keep their rate, their silence and their order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.load.arrivals import replayed
from harness.load.schedule import plan, plan_all
from harness.load.trace import NO_TRACE
from harness.scenario.traffic import Burst, Traffic


def test_bursts_are_poisson_while_on_and_silent_while_off_at_the_mean_rate() -> None:
    traffic = Traffic(
        arrival="bursty", offered_qps=100, burst=Burst(on_s=0.5, off_s=1.5), warm_up_s=0, window_s=200, rounds=1
    )
    due_s = plan(traffic, 1, 8).segments[0].due_s
    assert abs(due_s.size - 20_000) < 4 * np.sqrt(20_000) + 200  # and the part of a burst at either end
    gaps = np.diff(due_s)
    within = gaps[gaps < 1.5]
    assert gaps.size - within.size in (99, 100)
    assert gaps.max() < 1.5 + 0.1
    assert within.mean() == pytest.approx(1 / 400, rel=0.05)
    assert stats.kstest(within, "expon", args=(0, 1 / 400)).pvalue > 0.001


def test_workers_burst_together() -> None:
    traffic = Traffic(arrival="bursty", offered_qps=500, warm_up_s=0, window_s=20, rounds=1)
    whole = np.sort(np.concatenate([s.segments[0].due_s for s in plan_all(traffic, 1, 8, 0, 4, NO_TRACE)]))
    assert (np.diff(whole) > 0.9).sum() in (9, 10)


def test_bursts_begin_elsewhere_in_every_round_so_that_short_windows_are_not_biased() -> None:
    traffic = Traffic(arrival="bursty", offered_qps=100, warm_up_s=1, window_s=500, rounds=100)
    n = [int((s.due_s >= 1).sum()) for s in plan(traffic, 1, 8).segments]
    assert len(set(n)) > 20
    assert sum(n) == pytest.approx(50_000, rel=0.05)


TRACE = np.array([0.0, 0.1, 0.1, 0.7, 2.0])


def test_a_recording_is_replayed_as_it_is_and_goes_on_in_the_next_round() -> None:
    first, second = replayed(TRACE, 0, 1), replayed(TRACE, 1, 1)
    np.testing.assert_allclose(first, [0, 0.1, 0.1, 0.7])
    assert second.size == 0
    np.testing.assert_allclose(replayed(TRACE, 2, 0.4), [0])


def test_a_short_recording_repeats_one_mean_gap_after_its_end() -> None:
    np.testing.assert_allclose(replayed(TRACE, 0, 5), [*TRACE, *(TRACE + 2.5)])
    np.testing.assert_allclose(replayed(TRACE, 5.05, 0.2), [0.05, 0.05])


def test_rescaled_it_has_the_offered_rate() -> None:
    due_s = replayed(TRACE, 0, 1000, rate_qps=50)
    assert due_s.size == pytest.approx(50_000, abs=5)
    np.testing.assert_allclose(due_s[:5], TRACE / TRACE[-1] * 0.08)


def test_workers_are_dealt_a_recording_round_robin(tmp_path) -> None:
    traffic = Traffic(arrival="replay", arrivals=tmp_path / "a", warm_up_s=0, window_s=2.4, rounds=1)
    shares = [s.segments[0].due_s for s in plan_all(traffic, 1, 8, 0, 2, TRACE)]
    np.testing.assert_allclose(shares[0], [0, 0.1, 2.0])
    np.testing.assert_allclose(shares[1], [0.1, 0.7])


def test_the_hash_covers_the_whole_recording(tmp_path) -> None:
    traffic = Traffic(arrival="replay", arrivals=tmp_path / "a", warm_up_s=0, window_s=1, rounds=1)
    other = np.append(TRACE, 3.0)
    a, b = (plan(traffic, 1, 8, trace=trace) for trace in (TRACE, other))
    np.testing.assert_array_equal(a.segments[0].due_s, b.segments[0].due_s)
    assert a.sha256 != b.sha256
