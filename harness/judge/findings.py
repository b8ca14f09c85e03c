"""Is the run valid, and what else should its reader know? Each finding: a name, the figure that raised it, a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.judge.answers import find_in_answers, repeated_requests
from harness.judge.arrivals import arrival_findings, missing_findings
from harness.judge.connections import connection_findings
from harness.judge.generator import generator_findings, sending_findings
from harness.judge.machine import machine_findings
from harness.judge.noise_floor import noise_floor_findings
from harness.judge.steadiness import steadiness_findings
from harness.records import SUBJECTS, TEACHER, Finding, LedgerRow, Measurements, ObjectiveResult, TargetMeasure
from harness.samples import Samples
from harness.scenario import Scenario


def find(
    scenario: Scenario,
    measurements: Measurements,
    measures: Sequence[TargetMeasure],
    objectives: Sequence[ObjectiveResult],
    samples: Samples | None,
    subjects: Sequence[str] = SUBJECTS,
) -> tuple[Finding, ...]:
    """All findings of a run: those that stages raised while measuring, then those that the figures raise."""
    return (
        *measurements.findings,
        *_incomplete(measurements),
        *(_load(scenario, measurements, measures, objectives, samples, subjects) if samples is not None else ()),
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


def _load(
    scenario: Scenario,
    measurements: Measurements,
    measures: Sequence[TargetMeasure],
    objectives: Sequence[ObjectiveResult],
    samples: Samples,
    subjects: Sequence[str],
) -> Iterator[Finding]:
    """Of the load test. What disturbs only the windows of others than `subjects` leaves the verdict alone."""
    if measurements.load is not None:
        yield from generator_findings(scenario, measurements.load)
        yield from missing_findings(measurements.load, samples)
        yield from connection_findings(measurements.load)
    for measure in measures:
        target, hard = measure.target, measure.target in subjects
        judged_on = objectives if hard else ()
        yield from sending_findings(scenario.sla, measure, hard=hard)
        yield from machine_findings(measure, hard=hard)
        yield from arrival_findings(scenario.traffic, samples, target, hard=hard)
        yield from steadiness_findings(scenario.sla, judged_on, samples.judged(target), target, hard=hard)
    yield from repeated_requests(samples)
    yield from noise_floor_findings(measurements)


def _teacher(scenario: Scenario, measures: Sequence[TargetMeasure]) -> Iterator[Finding]:
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
