"""The records of a capacity search: its load tests, and the highest rate within the SLA that they amount to."""

from __future__ import annotations

from harness.records.base import COMPRESSED, Record
from harness.records.loads import LoadInfo, TargetInfo, TargetMeasure
from harness.records.verdicts import Finding, ObjectiveResult, VerdictStatus


class RateTest(Record):
    """One load test of a search, as measured: what it asked, as it was then, and the folder of its samples.

    `near_edge` marks the longer windows.
    """

    info: TargetInfo
    load: LoadInfo
    near_edge: bool
    samples: str


class CapacityPoint(Record):
    """One load test of a capacity search, judged by the SLA's latency objectives and error rate.

    `strain` is what was measured over its limit, for the objective where that is largest: 1 is the edge of the SLA.
    `samples` names the folder of its files; `near_edge` marks the longer windows.
    """

    offered_qps: float
    status: VerdictStatus
    near_edge: bool
    strain: float
    measure: TargetMeasure
    load: LoadInfo
    objectives: tuple[ObjectiveResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    samples: str = ""


class TargetCapacity(Record):
    """The highest offered rate at which `target` meets the SLA: between `lower_qps`, which passed, and `upper_qps`,
    which failed.

    lower_qps is 0 where nothing passed, upper_qps infinite where nothing failed. `estimate_qps` is where the
    strain, fitted over all points, crosses 1 (NaN where it does not); `knee_qps` is where
    `knee_of` (a percentile) starts to grow faster than the rate itself (NaN where no tested rate shows it).
    """

    target: str = COMPRESSED
    points: tuple[CapacityPoint, ...] = ()
    lower_qps: float = 0.0
    upper_qps: float = float("inf")
    estimate_qps: float = float("nan")
    knee_qps: float = float("nan")
    knee_of: str = ""
    findings: tuple[Finding, ...] = ()
