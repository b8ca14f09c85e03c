import math

import numpy as np
import pytest

from harness.judge.verdict import judge
from harness.records import (
    Finding,
    LedgerRow,
    LoadInfo,
    Measurements,
    ModelSize,
    QualityDrop,
    TargetInfo,
    VerdictStatus,
)
from harness.samples import Samples
from harness.scenario import Scenario

SLA = {"p99_ms": 25}


def scenario_of(sla=None, **traffic):
    return Scenario.model_validate({"name": "s", "sla": sla or SLA, "traffic": {"arrival": "constant"} | traffic})


def row(step="truncate", drop=0.002, half_width=0.002, control=None):
    quality = QualityDrop(ndcg=0.5, drop=drop, drop_lower=drop - half_width, drop_upper=drop + half_width, n_groups=100)
    return LedgerRow(step=step, digest="d", quality=quality, size=ModelSize(), control=control)


def measurements_of(**changes):
    known = {
        "tool_version": "0",
        "created": "now",
        "command": "",
        "scenario": {},
        "environment": {},
        "ledger": (row(),),
        "targets": (
            TargetInfo(target="compressed", engine="e", size_mb=2.0, memory_mb=300.0),
            TargetInfo(target="teacher", engine="native"),
        ),
        "load": LoadInfo(schedule_sha256="", arrival="poisson", offered_qps=100, n_planned=0),
        "complete": True,
    }
    return Measurements(**(known | changes))


def samples_of(latency_ms, teacher_ms=(), send_lag_ms=0.05, failed=()):
    """Independent samples at 100 per second; `failed` are indices that answered 500."""
    latency = np.concatenate([latency_ms, teacher_ms])
    n = latency.size
    own = len(latency_ms)
    due = np.concatenate([np.arange(own), np.arange(n - own)]) / 100
    status = np.full(n, 200, dtype=np.int16)
    status[list(failed)] = 500
    target = (np.arange(n) >= own).astype(np.int16)
    zeros = np.zeros(n, dtype=np.int32)
    return Samples(
        ("compressed", "teacher"), target, target, np.ones(n, dtype=np.bool_), due, due + send_lag_ms / 1e3,
        due + latency / 1e3, status, zeros, zeros,
    )  # fmt: skip


def latencies(n=2000, over=0, limit=25.0, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.uniform(2, limit - 1, n)
    values[rng.choice(n, over, replace=False)] = limit + 5
    return values


@pytest.mark.parametrize(
    ("over", "status"),
    [(0, VerdictStatus.PASS), (5, VerdictStatus.PASS), (20, VerdictStatus.INCONCLUSIVE), (60, VerdictStatus.FAIL)],
)
def test_a_percentile_is_decided_by_the_bounds_on_the_share_over_it(over, status):
    report = judge(scenario_of(), measurements_of(), samples_of(latencies(over=over)))
    (objective,) = report.verdict.objectives
    assert (report.verdict.status, objective.status) == (status, status)
    assert objective.headroom == pytest.approx(objective.limit - objective.measured)
    assert objective.lower <= objective.measured <= objective.upper


def test_few_samples_can_not_pass():
    report = judge(scenario_of(), measurements_of(), samples_of(latencies(n=50)))
    assert [o.status for o in report.verdict.objectives] == [VerdictStatus.INCONCLUSIVE]
    assert report.verdict.status == VerdictStatus.INVALID


def test_failed_requests_are_over_the_limit_and_counted():
    scenario = scenario_of({"p99_ms": 25, "error_rate": 0.01})
    report = judge(scenario, measurements_of(), samples_of(latencies(), failed=range(0, 2000, 20)))
    assert [o.status for o in report.verdict.objectives] == [VerdictStatus.FAIL] * 2
    assert report.verdict.objectives[0].measured == math.inf
    measure = report.measure("compressed")
    assert (measure.n_failed, measure.n_ok, measure.error_rate) == (100, 1900, pytest.approx(0.05))


@pytest.mark.parametrize(
    ("sla", "status"),
    [
        ({"ndcg_drop": 0.005}, "PASS"),
        ({"ndcg_drop": 0.003}, "INCONCLUSIVE"),
        ({"ndcg_drop": -0.001}, "FAIL"),
        ({"size_mb": 2}, "PASS"),
        ({"size_mb": 1.9}, "FAIL"),
        ({"memory_mb": 100}, "FAIL"),
        ({"error_rate": 0}, "PASS"),
        ({"error_rate": 0.01}, "PASS"),
        ({"error_rate": 0.0001}, "INCONCLUSIVE"),
        ({"min_qps": 90}, "PASS"),
        ({"min_qps": 200}, "INCONCLUSIVE"),
    ],
)
def test_the_other_objectives(sla, status):
    report = judge(scenario_of(sla), measurements_of(), samples_of(latencies()))
    assert [o.status.value for o in report.verdict.objectives] == [status]


def test_throughput_fails_where_requests_were_lost():
    report = judge(scenario_of({"min_qps": 99}), measurements_of(), samples_of(latencies(), failed=range(200)))
    assert report.verdict.status == VerdictStatus.FAIL


@pytest.mark.parametrize(
    ("changes", "samples", "name"),
    [
        ({"complete": False, "failure": "server died"}, {}, "incomplete-run"),
        ({}, {"send_lag_ms": 3.0}, "send-lag"),
        (
            {
                "load": LoadInfo(
                    schedule_sha256="", arrival="poisson", offered_qps=1, n_planned=0, generator_cpu_share_max=0.9
                )
            },
            {},
            "generator-busy",
        ),
        ({"findings": (Finding(name="shared-core", message="", remedy="", hard=True),)}, {}, "shared-core"),
    ],
)
def test_a_run_that_can_not_be_trusted_is_invalid(changes, samples, name):
    report = judge(scenario_of(), measurements_of(**changes), samples_of(latencies(), **samples))
    assert report.verdict.status == VerdictStatus.INVALID
    assert [f.name for f in report.verdict.findings if f.hard] == [name]


def test_without_samples_the_verdict_is_invalid():
    report = judge(scenario_of(), measurements_of(complete=False, failure="no"), None)
    assert (report.verdict.status, report.verdict.objectives) == (VerdictStatus.INVALID, ())


def test_soft_findings_leave_the_verdict_alone():
    control = row("truncate", drop=0.001)
    measured = measurements_of(ledger=(row("prune_leaves", drop=0.002, control=control),))
    samples = samples_of(latencies(), teacher_ms=latencies(seed=1))
    report = judge(scenario_of(arrival="closed"), measured, samples)
    assert report.verdict.status == VerdictStatus.PASS
    names = {finding.name for finding in report.verdict.findings}
    assert names == {"control-does-as-well", "teacher-meets-latency", "closed-loop", "no-calibration", "not-watched"}


@pytest.mark.parametrize(("over", "status"), [(0, VerdictStatus.INCONCLUSIVE), (60, VerdictStatus.FAIL)])
def test_closed_arrival_can_show_a_miss_but_no_pass(over, status):
    load = LoadInfo(schedule_sha256="", arrival="closed", offered_qps=100, n_planned=0)
    report = judge(scenario_of(arrival="closed"), measurements_of(load=load), samples_of(latencies(over=over)))
    assert report.verdict.status == status
    assert ("closed arrival" in report.verdict.objectives[0].reason) == (over == 0)


def test_a_lost_load_process_makes_the_run_invalid():
    load = LoadInfo(
        schedule_sha256="",
        arrival="poisson",
        offered_qps=100,
        n_planned=0,
        n_workers=3,
        n_workers_lost=1,
        timer="timerfd",
    )
    report = judge(scenario_of(), measurements_of(load=load), samples_of(np.full(3000, 5.0)))
    finding = next(f for f in report.verdict.findings if f.name == "worker-lost")
    assert (finding.hard, report.verdict.status) == (True, VerdictStatus.INVALID)
    assert "1 of 3" in finding.message


def test_a_coarse_timer_is_said():
    load = LoadInfo(schedule_sha256="", arrival="poisson", offered_qps=100, n_planned=0, timer="gevent.sleep")
    report = judge(scenario_of(), measurements_of(load=load), samples_of(np.full(3000, 5.0)))
    assert [f.hard for f in report.verdict.findings if f.name == "coarse-timer"] == [False]
