"""One load test alone: does it meet the part of the SLA that load decides, the latency objectives and error rate?"""

from __future__ import annotations

from harness.judge.verdict import judge, verdict_of
from harness.records import LoadInfo, Measurements, Report
from harness.samples import Samples
from harness.scenario import Scenario, Sla

TOO_FEW = "too-few-samples"


def load_sla(sla: Sla) -> Sla | None:
    """The latency objectives and the error rate of an SLA; None where it has neither."""
    kept = dict(sla.percentiles)
    if sla.error_rate is not None:
        kept["error_rate"] = sla.error_rate
    return Sla.model_validate(kept) if kept else None


def judge_load(scenario: Scenario, measurements: Measurements, samples: Samples, load: LoadInfo) -> Report:
    """Judge `samples` of one load test as `harness run` would, validity included; the rest of the run is left out.

    A window that was kept short on purpose is INCONCLUSIVE, not INVALID. ValueError where `load_sla` is None.
    """
    sla = load_sla(scenario.sla)
    if sla is None:
        raise ValueError("the SLA has no objective that a load test decides")
    traffic = scenario.traffic.model_copy(update={"offered_qps": load.offered_qps})
    alone = measurements.model_copy(update={"load": load, "ledger": (), "complete": load.complete})
    report = judge(scenario.model_copy(update={"sla": sla, "traffic": traffic}), alone, samples)
    findings = tuple(finding for finding in report.verdict.findings if finding.name != TOO_FEW)
    return report.model_copy(update={"verdict": verdict_of(report.verdict.objectives, findings)})
