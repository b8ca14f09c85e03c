"""Load tests of M/M/1 queues by their formula, judged: the points of sample capacity searches."""

from __future__ import annotations

import math

from harness.records import CapacityPoint, Finding, LoadInfo, ObjectiveResult, TargetMeasure, VerdictStatus

SERVICE_RATE, LIMIT_MS = 420.0, 50.0


def measure(target: str, rate: float, service_rate: float, window_s: float) -> TargetMeasure:
    """The percentiles of an M/M/1 queue; nothing is answered in time where it is overloaded."""
    n = int(rate * window_s)
    known = {name: 1e3 * math.log(1 / (1 - q)) / (service_rate - rate) for name, q in (("p50", 0.5), ("p99", 0.99))}
    latency = known if rate < service_rate else {"p50": 1800.0, "p99": math.inf}
    return TargetMeasure(
        target=target, engine="fake", n_planned=n, n_ok=n, n_failed=0, n_unsent=0, window_s=window_s,
        achieved_qps=min(rate, service_rate), latency_ms=latency, round_trip_ms=latency,
        send_lag_ms={"p50": 0.04, "p99": 0.2}, error_rate=0.0,
    )  # fmt: skip


def point(
    rate: float,
    status: str,
    near_edge: bool = False,
    target: str = "compressed",
    service_rate: float = SERVICE_RATE,
) -> CapacityPoint:
    """One load test, judged."""
    seen = measure(target, rate, service_rate, 20.0 if near_edge else 4.0)
    p99_ms = seen.latency_ms["p99"]
    objective = ObjectiveResult(
        name="p99_ms", unit="ms", limit=LIMIT_MS, measured=p99_ms, lower=0.8 * p99_ms, upper=1.4 * p99_ms,
        headroom=LIMIT_MS - p99_ms, status=VerdictStatus.INCONCLUSIVE if status == "INVALID" else VerdictStatus(status),
    )  # fmt: skip
    busy = Finding(name="generator-busy", message="95 % of its core", remedy="lower traffic.offered_qps", hard=True)
    return CapacityPoint(
        offered_qps=rate, status=VerdictStatus(status), near_edge=near_edge, strain=p99_ms / LIMIT_MS, measure=seen,
        load=LoadInfo(schedule_sha256="5c" * 32, arrival="poisson", offered_qps=rate, n_planned=seen.n_planned),
        objectives=(objective,), findings=(busy,) if status == "INVALID" else (), samples=f"points/{rate:g}-qps",
    )  # fmt: skip
