"""From samples, measurements and SLA to a verdict. Knows no HTTP and measures nothing."""

from __future__ import annotations

from harness.judge.findings import find
from harness.judge.measures import measure
from harness.judge.objectives import judge_objectives
from harness.records import (
    SUBJECTS,
    Measurements,
    ObjectiveResult,
    Report,
    TargetMeasure,
    Verdict,
    VerdictStatus,
)
from harness.samples import Samples
from harness.scenario import Scenario

_ORDER = (VerdictStatus.FAIL, VerdictStatus.INCONCLUSIVE, VerdictStatus.PASS)


def judge(scenario: Scenario, measurements: Measurements, samples: Samples | None) -> Report:
    """Judge a run. Without samples (a stage failed before the load test) the verdict is INVALID."""
    measures: tuple[TargetMeasure, ...] = ()
    objectives: tuple[ObjectiveResult, ...] = ()
    if samples is not None:
        measures = tuple(
            measure(info, samples, scenario.sla) for info in measurements.targets if info.target in samples.targets
        )
    subject = next((m for m in measures if m.target in SUBJECTS), None)
    if subject is not None and samples is not None and subject.n_planned:
        objectives = judge_objectives(scenario.sla, measurements, subject, samples.judged(subject.target))
    findings = find(scenario, measurements, measures)
    if objectives and any(finding.fails for finding in findings):
        status = VerdictStatus.FAIL
    elif not objectives or any(finding.hard for finding in findings):
        status = VerdictStatus.INVALID
    else:
        status = min((o.status for o in objectives), key=_ORDER.index)
    verdict = Verdict(status=status, objectives=objectives, findings=findings)
    return Report(name=scenario.name, measurements=measurements, measures=measures, verdict=verdict)
