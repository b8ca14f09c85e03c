"""The records of studies: what several load tests in one session amount to. Written as capacity.json, compare.json."""

from __future__ import annotations

from typing import Literal

from harness.records import (
    SCHEMA_VERSION,
    Finding,
    LoadInfo,
    Measurements,
    ObjectiveResult,
    Record,
    TargetMeasure,
    VerdictStatus,
)

UNKNOWN = float("nan")


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


class Capacity(Record):
    """The highest offered rate that meets the SLA: between `lower_qps`, which passed, and `upper_qps`, which failed.

    lower_qps is 0 where nothing passed, upper_qps infinite where nothing failed. `estimate_qps` is where the
    strain, fitted over all points, crosses 1 (NaN where it does not); `knee_qps` is where
    `knee_of` (a percentile) starts to grow faster than the rate itself (NaN where no tested rate shows it).
    """

    kind: Literal["capacity"] = "capacity"
    schema_version: int = SCHEMA_VERSION
    name: str
    run: str = ""
    measurements: Measurements
    points: tuple[CapacityPoint, ...] = ()
    lower_qps: float = 0.0
    upper_qps: float = float("inf")
    estimate_qps: float = UNKNOWN
    knee_qps: float = UNKNOWN
    knee_of: str = ""
    budget_s: float
    findings: tuple[Finding, ...] = ()


class Difference(Record):
    """One percentile of B against that of A, with two-sided 95 % intervals; `answer` weighs the ratio B / A."""

    percentile: str
    a_ms: float
    b_ms: float
    difference_ms: float
    difference_lower_ms: float
    difference_upper_ms: float
    ratio: float
    ratio_lower: float
    ratio_upper: float
    answer: Literal["A faster", "B faster", "no difference", "undecided"]


class Comparison(Record):
    """Two sides load-tested in interleaved rounds of the same requests.

    `sides` maps `A` and `B` to what was named on the command line. `min_effect` is the smallest ratio that matters,
    less one: below it an answer is `no difference`. No answer stands where a finding is hard.
    """

    kind: Literal["compare"] = "compare"
    schema_version: int = SCHEMA_VERSION
    name: str
    run: str = ""
    measurements: Measurements
    sides: dict[str, str]
    min_effect: float
    n_rounds: int
    measures: tuple[TargetMeasure, ...] = ()
    differences: tuple[Difference, ...] = ()
    findings: tuple[Finding, ...] = ()


Study = Capacity | Comparison
