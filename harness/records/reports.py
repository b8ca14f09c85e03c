"""What is kept and published of a run: the noise floor, all that was measured, the report."""

from __future__ import annotations

from datetime import datetime

from harness.records.base import Facts, NdcgSpec, Record, Versioned
from harness.records.bundles import LedgerRow
from harness.records.capacities import RateTest, TargetCapacity
from harness.records.loads import Audit, LoadInfo, TargetInfo, TargetMeasure
from harness.records.verdicts import Finding, Verdict


class RateTried(Record):
    """One step of the search for the highest rate at which a generator process is honest."""

    offered_qps: float
    send_lag_ms_p99: float
    generator_cpu_share_max: float
    n_lost: int
    honest: bool


class Calibration(Versioned):
    """The noise floor of a machine: what the generator measures of a server that does nothing.

    created: UTC; machine: what identifies it (`cpu`, `cores`, `kernel`); measure: the null server under `traffic`;
    honest_qps: the highest rate per generator process at which the p99 of the send lag stayed below
    `send_lag_limit_ms`, the process kept a fifth of its core idle, and no request was lost; NaN where no rate was.
    findings: what disturbed the measurement.
    """

    created: str
    tool_version: str
    scenario: str = ""
    machine: Facts
    traffic: Facts
    request_bytes: int
    measure: TargetMeasure
    send_lag_limit_ms: float
    honest_qps: float
    rates: tuple[RateTried, ...] = ()
    findings: tuple[Finding, ...] = ()

    def age_days(self, at: str) -> float:
        """Days from the calibration to a moment in ISO 8601, such as `Measurements.created`."""
        return (datetime.fromisoformat(at) - datetime.fromisoformat(self.created)).total_seconds() / 86_400


class Measurements(Versioned):
    """Everything a run measured except the samples; `harness judge` needs this, the samples and the scenario.

    `min_qps_load` is the load test at `sla.min_qps`, where the run itself offers less; `rate_tests` are those of the
    search for the capacity of each side, where the scenario asks for it.
    """

    tool_version: str
    created: str
    command: str
    scenario: Facts
    environment: Facts
    data: Facts = {}
    ndcg: NdcgSpec = NdcgSpec()
    ledger: tuple[LedgerRow, ...] = ()
    targets: tuple[TargetInfo, ...] = ()
    load: LoadInfo | None = None
    calibration: Calibration | None = None
    min_qps_load: LoadInfo | None = None
    rate_tests: tuple[RateTest, ...] = ()
    audits: tuple[Audit, ...] = ()
    findings: tuple[Finding, ...] = ()
    stage_s: dict[str, float] = {}
    complete: bool = False
    failure: str = ""


class Report(Versioned):
    """What is published: measurements, what they amount to per target, and the verdict. Written as result.json.

    `run` is the name of the run directory, by which a suite's page links to it; `made_of` are the files there that the
    report was made of, with their SHA-256.
    """

    name: str
    run: str = ""
    measurements: Measurements
    measures: tuple[TargetMeasure, ...] = ()
    capacities: tuple[TargetCapacity, ...] = ()
    verdict: Verdict
    made_of: dict[str, str] = {}

    def measure(self, target: str) -> TargetMeasure | None:
        """The measure of one target (`teacher`, `compressed`, `target`), or None where it was not load-tested."""
        return next((m for m in self.measures if m.target == target), None)

    def capacity(self, target: str) -> TargetCapacity | None:
        """The capacity of one target, or None where it was not searched."""
        return next((c for c in self.capacities if c.target == target), None)
