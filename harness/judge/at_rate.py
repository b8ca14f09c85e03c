"""One load test alone: does it meet the part of the SLA that load decides, the latency objectives and error rate?"""

from __future__ import annotations

from harness.judge.verdict import judge
from harness.records import LoadInfo, Measurements, Report
from harness.samples import Samples
from harness.scenario import Scenario, Sla


def load_sla(sla: Sla) -> Sla | None:
    """The latency objectives and the error rate of an SLA; None where it has neither."""
    kept = dict(sla.percentiles)
    if sla.error_rate is not None:
        kept["error_rate"] = sla.error_rate
    return Sla.model_validate(kept) if kept else None


def judge_load(scenario: Scenario, measurements: Measurements, samples: Samples, load: LoadInfo) -> Report:
    """Judge `samples` of one load test as `harness run` would, validity included; the rest of the run is left out."""
    sla = load_sla(scenario.sla)
    if sla is None:
        raise ValueError("the SLA has no objective that a load test decides")
    alone = measurements.model_copy(update={"load": load, "ledger": (), "complete": load.complete})
    return judge(scenario.model_copy(update={"sla": sla}), alone, samples)
