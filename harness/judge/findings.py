"""Is the run valid, and what else should its reader know? Each finding: a name, the figure that raised it, a remedy."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.answers import find_in_answers
from harness.records import SUBJECTS, TEACHER, Finding, LedgerRow, Measurements, TargetMeasure
from harness.scenario import Scenario

SEND_LAG_SHARE = 0.10
GENERATOR_CPU_SHARE = 0.80


def find(scenario: Scenario, measurements: Measurements, measures: tuple[TargetMeasure, ...]) -> tuple[Finding, ...]:
    """All findings of a run: those that stages raised while measuring, then those that the figures raise."""
    return (
        *measurements.findings,
        *_incomplete(measurements),
        *_generator(scenario, measurements),
        *(finding for m in measures for finding in _send_lag(scenario, m)),
        *(finding for audit in measurements.audits for finding in find_in_answers(audit)),
        *_teacher(scenario, measures),
        *(finding for row in measurements.ledger for finding in _control(row)),
    )


def _incomplete(measurements: Measurements) -> Iterator[Finding]:
    if not measurements.complete:
        yield Finding(
            name="incomplete-run",
            message=f"the run did not finish: {measurements.failure or 'interrupted'}",
            remedy="run the scenario again; finished stages are reused from the cache",
            hard=True,
        )


def _generator(scenario: Scenario, measurements: Measurements) -> Iterator[Finding]:
    load = measurements.load
    if load is None:
        return
    if load.generator_cpu_share_max > GENERATOR_CPU_SHARE:
        yield Finding(
            name="generator-busy",
            message=f"the load generator used {load.generator_cpu_share_max:.0%} of its core in its busiest second "
            f"(at most {GENERATOR_CPU_SHARE:.0%})",
            remedy="lower traffic.offered_qps or use a faster machine: what looks slow may be the generator",
            hard=True,
        )
    if scenario.traffic.arrival == "closed":
        yield Finding(
            name="closed-loop",
            message="requests waited for the answer before, so a slow server was sent fewer of them",
            remedy="use traffic.arrival: poisson for a verdict that holds for independent users",
        )
    for note in load.notes:
        yield Finding(name="generator-note", message=note, remedy="none needed where the send lag is small")


def _send_lag(scenario: Scenario, measure: TargetMeasure) -> Iterator[Finding]:
    limits = scenario.sla.percentiles.values()
    lag_ms = measure.send_lag_ms["p99"]
    if limits and lag_ms > SEND_LAG_SHARE * min(limits):
        yield Finding(
            name="send-lag",
            message=f"{measure.target}: requests left late, p99 {lag_ms:.2f} ms "
            f"(at most {SEND_LAG_SHARE:.0%} of the tightest limit, {min(limits):g} ms)",
            remedy="give the load generator a core of its own and a quiet machine",
            hard=measure.target in SUBJECTS,
            target=measure.target,
        )


def _teacher(scenario: Scenario, measures: tuple[TargetMeasure, ...]) -> Iterator[Finding]:
    teacher = next((m for m in measures if m.target == TEACHER), None)
    if teacher is None:
        return
    limits = scenario.sla.percentiles
    known = {n: teacher.latency_ms.get(n.removesuffix("_ms")) for n in limits}
    if limits and all(value is not None and value <= limits[n] for n, value in known.items()):
        yield Finding(
            name="teacher-meets-latency",
            message="the uncompressed teacher also stays within the latency limits under this traffic",
            remedy="compression is not needed for latency here; it may still pay in capacity or size",
            target="teacher",
        )


def _control(row: LedgerRow) -> Iterator[Finding]:
    """The cheap alternative at equal size is as good unless the method's own drop is clearly smaller."""
    if row.control is not None and row.control.quality.drop <= row.quality.drop:
        yield Finding(
            name="control-does-as-well",
            message=f"{row.control.step} to the same size drops {row.control.quality.drop:.4f}, "
            f"{row.step} {row.quality.drop:.4f}",
            remedy=f"use {row.control.step} instead of {row.step}: it is simpler",
        )
