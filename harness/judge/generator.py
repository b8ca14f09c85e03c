"""Was the load generator honest? Late sends, a busy process, a late event loop, and what it noted of itself."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.records import PRECISE_TIMER, Finding, LoadInfo, TargetMeasure
from harness.scenario import Scenario, Sla

SEND_LAG_SHARE = 0.10
LOOP_LAG_SHARE = 0.50
CPU_SHARE = 0.80


def generator_findings(scenario: Scenario, load: LoadInfo) -> Iterator[Finding]:
    """What the generator says of the whole run."""
    yield from _loop_lag(scenario.sla, load)
    if load.machine is None and load.generator_cpu_share_max > CPU_SHARE:
        yield _busy(load.generator_cpu_share_max, target="", hard=True)
    if scenario.traffic.arrival == "closed":
        yield Finding(
            name="closed-loop",
            message="requests waited for the answer before, so a slow server was sent fewer of them",
            remedy="use traffic.arrival: poisson for a verdict that holds for independent users",
        )
    if load.timer not in ("", PRECISE_TIMER):
        yield Finding(
            name="coarse-timer",
            message=f"requests were timed by {load.timer}, which sends them up to 1.5 ms late",
            remedy="generate the load on Linux, where it waits on a timerfd",
        )
    if load.n_workers_lost:
        yield Finding(
            name="worker-lost",
            message=f"{load.n_workers_lost} of {load.n_workers} load processes were lost, and their requests with them",
            remedy="look into load/locust.log and run again; what they had measured before is kept",
            hard=True,
        )
    for note in load.notes:
        yield Finding(name="generator-note", message=note, remedy="none needed where the send lag is small")


def sending_findings(sla: Sla, measure: TargetMeasure, *, hard: bool) -> Iterator[Finding]:
    """What the judged windows of one target say of the generator."""
    limit_ms, lag_ms = tightest_ms(sla), measure.send_lag_ms.get("p99", math.nan)
    if lag_ms > SEND_LAG_SHARE * limit_ms:
        yield Finding(
            name="send-lag",
            message=f"{measure.target}: requests left late at the 99th percentile "
            f"(at most {SEND_LAG_SHARE * 100:.0f} % of the tightest limit, {limit_ms:g} ms, is allowed)",
            remedy="give the load generator a core of its own and a quiet machine",
            hard=hard,
            target=measure.target,
            figure=lag_ms,
            threshold=SEND_LAG_SHARE * limit_ms,
            unit="ms",
        )
    if measure.machine.generator_cpu_share_max > CPU_SHARE:
        yield _busy(measure.machine.generator_cpu_share_max, target=measure.target, hard=hard)


def tightest_ms(sla: Sla) -> float:
    """The lowest latency limit; infinite where the SLA has none."""
    return min(sla.percentiles.values(), default=math.inf)


def _busy(share: float, *, target: str, hard: bool) -> Finding:
    return Finding(
        name="generator-busy",
        message=f"{f'{target}: ' if target else ''}a process of the load generator left its core too little idle time "
        "in its busiest second",
        remedy="lower traffic.offered_qps or use a faster machine: what looks slow may be the generator",
        hard=hard,
        target=target,
        figure=share,
        threshold=CPU_SHARE,
        unit="share",
    )


def _loop_lag(sla: Sla, load: LoadInfo) -> Iterator[Finding]:
    allowed_ms = LOOP_LAG_SHARE * tightest_ms(sla)
    if load.loop_lag_ms_max > allowed_ms:
        yield Finding(
            name="loop-lag",
            message="the load generator's event loop stood still for longer than half of the tightest limit",
            remedy="give the load generator a core of its own and a quiet machine",
            hard=True,
            figure=load.loop_lag_ms_max,
            threshold=allowed_ms,
            unit="ms",
        )
