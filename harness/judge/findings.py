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
        *_fallbacks(measurements),
        *(_load(scenario, measurements, measures, objectives, samples, subjects) if samples is not None else ()),
        *(finding for audit in measurements.audits for finding in find_in_answers(audit)),
        *_teacher(scenario, measures),
        *(finding for row in measurements.ledger for finding in _step(row)),
    )


def _incomplete(measurements: Measurements) -> Iterator[Finding]:
    if not measurements.complete:
        yield Finding(
            name="incomplete-run",
            message=f"the run did not finish: {measurements.failure or 'interrupted'}",
            remedy="run the scenario again; finished stages are reused from the cache",
            hard=True,
        )


def _fallbacks(measurements: Measurements) -> Iterator[Finding]:
    """Figures of another engine than the scenario names would pass for its own."""
    for info in measurements.targets:
        if fallback := info.engine_info.get("fallback"):
            yield Finding(
                name="engine-fallback",
                message=f"{fallback} served in place of {info.engine}, which can't: "
                f"{str(info.engine_info.get('fallback_reason', '')).partition(chr(10))[0]}",
                remedy=f"put right what is missing, or set engine: {fallback} to say what is measured",
                target=info.target,
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


def _step(row: LedgerRow) -> Iterator[Finding]:
    """Of one step of the recipe: a cheap control that is as good, a quality gate that nothing met."""
    if row.control is not None and row.control_does in ("as well", "better"):
        yield Finding(
            name="control-does-as-well",
            message=f"{row.control.step} to the same size drops {row.control.quality.drop:.4f}, "
            f"{row.step} {row.quality.drop:.4f}; the paired difference does not speak for {row.step}",
            remedy=f"use {row.control.step} instead of {row.step}: it is simpler",
        )
    if row.gate_missed:
        yield Finding(
            name="gate-not-met",
            message=f"{row.step}: {row.gate_missed}; the best found goes on, with {row.quality.drop:.4f} NDCG lost "
            "against the teacher on the test split",
            remedy="allow a larger max_drop, give the valid split more query groups, or leave the step out",
            fails=True,
            figure=row.quality.drop_upper,
        )
