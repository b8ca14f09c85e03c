"""Drift and too few samples: what is certain, against what queues do by themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from queues import samples_of, sojourns_s

from harness.judge.steadiness import drift, fewest, steadiness_findings
from harness.records import ObjectiveResult, VerdictStatus
from harness.samples import Samples
from harness.scenario import Sla

SLA = Sla(p99_ms=25)


def queue(utilisation: float, qps: float, window_s: float, seed: int, growth: np.ndarray | float = 1.0) -> Samples:
    """A Poisson stream to exponential service, warmed up for 5 s; `growth` (n,) multiplies the time of the judged."""
    rng = np.random.default_rng(seed)
    gaps_s = rng.exponential(1 / qps, int(qps * (window_s + 5)))
    latency_s = sojourns_s(gaps_s, rng.exponential(utilisation / qps, gaps_s.size))[int(5 * qps) :] * growth
    return recorded(np.cumsum(gaps_s)[int(5 * qps) :], latency_s)


def recorded(due_s: np.ndarray, latency_s: np.ndarray) -> Samples:
    return samples_of(due_s, due_s + latency_s)


@pytest.mark.parametrize(("qps", "window_s"), [(200, 60), (500, 10), (100, 20)])
def test_a_steady_queue_is_not_called_drifting(qps, window_s):
    called = [drift(queue(0.8, qps, window_s, seed)) for seed in range(300)]
    assert sum(thirds is not None for thirds in called) <= 3


@pytest.mark.parametrize("factor", [1.5, 0.6])
def test_a_step_in_latency_is(factor):
    n = 60 * 200
    growth = np.where(np.arange(n) < n // 2, 1.0, factor)
    called = [drift(queue(0.3, 200, 60, seed, growth)) for seed in range(20)]
    assert all(thirds is not None for thirds in called)
    assert all((thirds[2] > thirds[0]) == (factor > 1) for thirds in called)


def blocks(utilisation: float, n_blocks: int, seed: int) -> Samples:
    """A minute at 200 requests per second in blocks, each from an empty server on, warmed up for 2 s."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(n_blocks):
        n = int(200 * (60 / n_blocks + 2))
        gaps_s = rng.exponential(1 / 200, n)
        parts.append((np.cumsum(gaps_s), sojourns_s(gaps_s, rng.exponential(utilisation / 200, n))))
    whole = recorded(np.concatenate([due_s for due_s, _ in parts]), np.concatenate([own for _, own in parts]))
    segment = np.repeat(np.arange(n_blocks, dtype=np.int16), [due_s.size for due_s, _ in parts])
    return Samples(**(vars(whole) | {"segment": segment})).where(whole.due_s >= 2)


@pytest.mark.parametrize("n_blocks", [2, 6, 10])
def test_blocks_do_not_hide_a_server_that_falls_behind(n_blocks):
    assert all(drift(blocks(1.1, n_blocks, seed)) is not None for seed in range(10))
    assert sum(drift(blocks(0.7, n_blocks, seed)) is not None for seed in range(100)) <= 2


def test_a_small_drift_is_no_finding_however_certain():
    due_s = np.arange(6000) / 200
    assert drift(recorded(due_s, np.linspace(0.010, 0.0110, 6000))) is None
    assert drift(recorded(due_s, np.linspace(0.010, 0.0125, 6000))) is not None


def test_too_few_answers_say_nothing_of_drift():
    due_s = np.arange(290) / 200
    assert drift(recorded(due_s, np.linspace(0.010, 0.050, 290))) is None


def judged_as(status: VerdictStatus) -> tuple[ObjectiveResult, ...]:
    return (ObjectiveResult(name="p99_ms", unit="ms", limit=25, measured=1, headroom=1, status=status),)


def test_overload_leaves_a_fail_a_fail():
    rising = recorded(np.arange(6000) / 200, np.linspace(0.010, 3.0, 6000))
    falling = recorded(np.arange(6000) / 200, np.linspace(3.0, 0.010, 6000))
    for samples, status, hard in [
        (rising, VerdictStatus.FAIL, False),
        (rising, VerdictStatus.PASS, True),
        (falling, VerdictStatus.FAIL, True),
    ]:
        (finding,) = steadiness_findings(SLA, judged_as(status), samples, "compressed", hard=True)
        assert (finding.name, finding.hard) == ("latency-drift", hard)
        assert finding.figure > finding.threshold
        assert ("does not keep up" in finding.message) is not hard
    (teacher,) = steadiness_findings(SLA, (), rising, "teacher", hard=False)
    assert not teacher.hard


@pytest.mark.parametrize(("limit_ms", "hard"), [(10, True), (25, False)])
def test_a_drift_far_below_the_limit_leaves_the_verdict(limit_ms, hard):
    """0.3 ms in the typical latency decide nothing against 25 ms, and are told all the same."""
    drifting = recorded(np.arange(6000) / 200, np.linspace(0.0010, 0.0014, 6000))
    (finding,) = steadiness_findings(
        Sla(p99_ms=limit_ms), judged_as(VerdictStatus.PASS), drifting, "compressed", hard=True
    )
    assert (finding.name, finding.hard) == ("latency-drift", hard)


@pytest.mark.parametrize(("q", "n"), [(0.5, 5), (0.99, 299), (0.999, 2995)])
def test_the_fewest_samples_are_those_that_could_show_it(q, n):
    assert fewest(q) == n
    assert q**n <= 0.05 < q ** (n - 1)


@pytest.mark.parametrize(("n", "names"), [(298, ["too-few-samples"]), (299, [])])
def test_fewer_samples_than_the_objective_needs(n, names):
    samples = recorded(np.arange(n) / 200, np.full(n, 0.004))
    found = list(steadiness_findings(SLA, judged_as(VerdictStatus.INCONCLUSIVE), samples, "compressed", hard=True))
    assert [f.name for f in found] == names
    assert all(f.hard and (f.figure, f.threshold) == (298, 299) for f in found)
    tighter = Sla(p50_ms=9, p99_ms=25, p999_ms=50)
    (finding,) = steadiness_findings(tighter, (), samples, "compressed", hard=True)
    assert (finding.threshold, "p999_ms" in finding.message) == (2995, True)


def test_a_fail_had_samples_enough():
    few = recorded(np.arange(50) / 200, np.full(50, math.inf))
    assert not list(steadiness_findings(SLA, judged_as(VerdictStatus.FAIL), few, "compressed", hard=True))
