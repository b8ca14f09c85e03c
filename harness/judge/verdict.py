"""From samples, measurements and SLA to a verdict. Knows no HTTP and measures nothing."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.findings import find
from harness.judge.looks import look_at
from harness.judge.measures import measure
from harness.judge.min_qps import LoadResult, judge_min_qps
from harness.judge.objectives import judge_objectives
from harness.judge.steadiness import TOO_FEW
from harness.records import (
    SUBJECTS,
    Finding,
    LoadInfo,
    Measurements,
    ObjectiveResult,
    Report,
    TargetMeasure,
    Verdict,
    VerdictStatus,
)
from harness.samples import Samples
from harness.scenario import Scenario, Sla

_ORDER = (VerdictStatus.FAIL, VerdictStatus.INCONCLUSIVE, VerdictStatus.PASS)


def judge(
    scenario: Scenario,
    measurements: Measurements,
    samples: Samples | None,
    at_min_qps: Samples | None = None,
    subjects: Sequence[str] = SUBJECTS,
) -> Report:
    """Judge a run. Without samples (a stage failed before the load test) the verdict is INVALID.

    `at_min_qps` are the samples of the load test at `sla.min_qps`, where the run has one. `subjects` are the targets
    whose disturbances count; the first of them that was load-tested is judged.
    """
    measures = measures_of(scenario, measurements, samples)
    objectives: tuple[ObjectiveResult, ...] = ()
    subject = next((m for m in measures if m.target in subjects), None)
    if subject is not None and samples is not None and subject.n_planned:
        apart = scenario.sla.model_copy(update={"min_qps": None})
        alpha = look_at(scenario.traffic, measurements.load.window_s if measurements.load else 0.0).alpha
        objectives = judge_objectives(apart, measurements, subject, samples.judged(subject.target), alpha)
        if scenario.sla.min_qps is not None:
            deciding = _load_result(scenario, measurements, subject, objectives, at_min_qps)
            objectives = _in_order(scenario.sla, *objectives, judge_min_qps(scenario.sla.min_qps, deciding))
    verdict = _verdict(objectives, find(scenario, measurements, measures, objectives, samples, subjects))
    return Report(name=scenario.name, measurements=measurements, measures=measures, verdict=verdict)


def measures_of(scenario: Scenario, measurements: Measurements, samples: Samples | None) -> tuple[TargetMeasure, ...]:
    """The figures of every target that was load-tested; none without samples."""
    if samples is None:
        return ()
    return tuple(
        measure(info, samples, scenario.sla, measurements.load)
        for info in measurements.targets
        if info.target in samples.targets
    )


def judge_load(
    scenario: Scenario, measurements: Measurements, samples: Samples, load: LoadInfo, target: str | None = None
) -> Report:
    """Judge one load test alone, validity included: the latency objectives and the error rate at its own rate.

    Of `target`, or else of what the scenario judges. Answers are audited apart.

    A window that was kept short on purpose is INCONCLUSIVE, not INVALID. ValueError where `load_sla` is None.
    """
    sla = load_sla(scenario.sla)
    if sla is None:
        raise ValueError("the SLA has no objective that a load test decides")
    traffic = scenario.traffic.model_copy(update={"offered_qps": load.offered_qps, "extend_to_s": None})
    subjects = SUBJECTS if target is None else (target,)
    alone = measurements.model_copy(update={"load": load, "ledger": (), "audits": (), "complete": load.complete})
    report = judge(scenario.model_copy(update={"sla": sla, "traffic": traffic}), alone, samples, subjects=subjects)
    findings = tuple(finding for finding in report.verdict.findings if finding.name != TOO_FEW)
    return report.model_copy(update={"verdict": _verdict(report.verdict.objectives, findings)})


def load_sla(sla: Sla) -> Sla | None:
    """The part of an SLA that load decides, its latency objectives and error rate; None where it has neither."""
    kept = sla.percentiles | ({} if sla.error_rate is None else {"error_rate": sla.error_rate})
    return Sla.model_validate(kept) if kept else None


def _load_result(
    scenario: Scenario,
    measurements: Measurements,
    subject: TargetMeasure,
    objectives: tuple[ObjectiveResult, ...],
    at_min_qps: Samples | None,
) -> LoadResult:
    """The load test that decides `min_qps`: the one at that rate, else the run's own."""
    asked = load_sla(scenario.sla)
    load = measurements.min_qps_load
    if load is not None and at_min_qps is not None:
        if asked is None:
            info = next(info for info in measurements.targets if info.target in SUBJECTS)
            return LoadResult(load.offered_qps, measure(info, at_min_qps, scenario.sla, load), ())
        report = judge_load(scenario, measurements, at_min_qps, load)
        own = next(m for m in report.measures if m.target in SUBJECTS)
        verdict = report.verdict
        invalid = verdict.status is VerdictStatus.INVALID
        hard = list(dict.fromkeys(finding.name for finding in verdict.findings if finding.hard)) if invalid else []
        return LoadResult(load.offered_qps, own, verdict.objectives, hard)
    closed = measurements.load is None or measurements.load.arrival == "closed"
    offered_qps = subject.achieved_qps if closed or measurements.load is None else measurements.load.offered_qps
    wanted = asked.objectives if asked is not None else {}
    return LoadResult(offered_qps, subject, tuple(result for result in objectives if result.name in wanted))


def _in_order(sla: Sla, *results: ObjectiveResult) -> tuple[ObjectiveResult, ...]:
    by_name = {result.name: result for result in results}
    return tuple(by_name[name] for name in sla.objectives)


def _verdict(objectives: tuple[ObjectiveResult, ...], findings: tuple[Finding, ...]) -> Verdict:
    """The worst status of the objectives; FAIL where a finding fails the run, INVALID where one is hard."""
    if objectives and any(finding.fails for finding in findings):
        status = VerdictStatus.FAIL
    elif not objectives or any(finding.hard for finding in findings):
        status = VerdictStatus.INVALID
    else:
        status = min((o.status for o in objectives), key=_ORDER.index)
    return Verdict(status=status, objectives=objectives, findings=findings)
