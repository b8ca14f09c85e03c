"""One finished run as a point of a trend: its figures, with the bounds that its own verdict gave them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.history.likeness import machine_of, question_of
from harness.records import SUBJECTS, Facts, Record, Report, TargetCapacity, VerdictStatus
from harness.studies import Capacity

UNKNOWN = float("nan")


class Figure(Record):
    """A figure with its own 95 % bounds; NaN where it was not measured, or has no bounds."""

    value: float = UNKNOWN
    lower: float = UNKNOWN
    upper: float = UNKNOWN

    @property
    def known(self) -> bool:
        """Whether it was measured."""
        return not math.isnan(self.value)


@dataclass(frozen=True)
class Measure:
    """What can be followed over runs. `ratio`: changes count in per cent; otherwise as a difference."""

    name: str
    ratio: bool = True
    more_is_better: bool = False


MEASURES = {
    "p50_ms": Measure("p50 latency"),
    "p99_ms": Measure("p99 latency"),
    "capacity_qps": Measure("capacity", more_is_better=True),
    "ndcg": Measure("NDCG", ratio=False, more_is_better=True),
    "ndcg_drop": Measure("NDCG lost", ratio=False),
    "size_mb": Measure("size"),
}

LATENCIES = ("p50_ms", "p99_ms")
"""Measures that a disturbed load test says nothing of."""


class Point(Record):
    """One run, or one capacity search.

    run: its folder, relative to the one that was indexed; status: its verdict, empty for a search; machine, question:
    what has to be the same for two points to be compared.
    """

    run: str
    kind: Literal["run", "capacity"]
    name: str
    created: str
    status: str = ""
    subject: str = ""
    machine: Facts
    question: Facts
    figures: dict[str, Figure]

    def figure(self, measure: str) -> Figure:
        """One of its figures; of NaN where it has none."""
        return self.figures.get(measure, Figure())

    def trusted(self, measure: str) -> Figure:
        """The same; of NaN also for a latency of a run that was INVALID."""
        invalid = self.status == VerdictStatus.INVALID and measure in LATENCIES
        return Figure() if invalid else self.figure(measure)


def point_of_report(run: str, report: Report) -> Point:
    """The figures of what a run is about: its compressed ranker or its target."""
    measured = report.measurements
    found = next((measure for measure in report.measures if measure.target in SUBJECTS), None)
    figures = {} if found is None else {name: _latency(report, name, found.latency_ms) for name in LATENCIES}
    subject = found.target if found is not None else ""
    if (capacity := report.capacity(subject)) is not None:
        figures["capacity_qps"] = capacity_figure(capacity)
    if measured.ledger:
        last = measured.ledger[-1]
        quality = last.quality
        figures["ndcg"] = Figure(value=quality.ndcg)
        figures["ndcg_drop"] = Figure(value=quality.drop, lower=quality.drop_lower, upper=quality.drop_upper)
        if last.size.disk_bytes:
            figures["size_mb"] = _exact(last.size.disk_bytes / 1e6)
    return Point(
        run=run,
        kind="run",
        name=report.name,
        created=measured.created,
        status=report.verdict.status.value,
        subject=subject,
        machine=machine_of(measured),
        question=question_of(measured),
        figures={name: figure for name, figure in figures.items() if figure.known},
    )


def point_of_capacity(run: str, found: Capacity) -> Point:
    """The capacity that a search of its own found."""
    return Point(
        run=run,
        kind="capacity",
        name=found.name,
        created=found.measurements.created,
        subject=found.target,
        machine=machine_of(found.measurements),
        question=question_of(found.measurements),
        figures={"capacity_qps": figure} if (figure := capacity_figure(found)).known else {},
    )


def capacity_figure(found: TargetCapacity) -> Figure:
    """The estimate between the rate that passed and the one that failed; their geometric mean where there is none."""
    closed = found.lower_qps > 0 and math.isfinite(found.upper_qps)
    middle = math.sqrt(found.lower_qps * found.upper_qps) if closed else UNKNOWN
    value = middle if math.isnan(found.estimate_qps) else found.estimate_qps
    return Figure(value=value, lower=found.lower_qps, upper=found.upper_qps)


def _latency(report: Report, name: str, latency_ms: dict[str, float]) -> Figure:
    judged = next((result for result in report.verdict.objectives if result.name == name), None)
    bounds = {} if judged is None else {"lower": judged.lower, "upper": judged.upper}
    return Figure(value=latency_ms.get(name.removesuffix("_ms"), UNKNOWN), **bounds)


def _exact(value: float) -> Figure:
    return Figure(value=value, lower=value, upper=value)
