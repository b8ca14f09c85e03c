"""Pareto fronts: among comparable runs, the recipes that no other beats in quality, time and size at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from harness.records import COMPRESSED, Facts, NdcgSpec, Record, Report, VerdictStatus
from harness.suite.quality import measures_quality

Time = Literal["p99 latency", "engine time, p50"]
_NO_QUALITY = "its quality was not measured"
Cost = tuple[float, float, float]


class FrontPoint(Record):
    """One run: the NDCG it lost, its time in us, its size; and the runs of the front that beat it."""

    name: str
    ndcg_drop: float
    drop_lower: float
    drop_upper: float
    time_us: float
    disk_bytes: int
    dominated_by: tuple[str, ...] = ()

    @property
    def cost(self) -> Cost:
        """What shall be small."""
        return self.ndcg_drop, self.time_us, float(self.disk_bytes)


class Front(Record):
    """Runs of one teacher on the same data under the same traffic, so that their figures can stand side by side."""

    teacher: str
    teacher_digest: str
    ndcg: NdcgSpec
    time: Time
    traffic: Facts
    points: tuple[FrontPoint, ...]


class LeftOut(Record):
    """A run that shares a front with no other, and why."""

    name: str
    why: str


_SAME: Mapping[str, Callable[[Report], Any]] = {
    "teacher": lambda report: report.measurements.ledger[0].digest,
    "data": lambda report: report.measurements.data.get("digest"),
    "NDCG": lambda report: report.measurements.ndcg,
    "traffic": lambda report: report.measurements.scenario.get("traffic"),
    "server and load processes": lambda report: (
        _setting(report, "serve", "workers"),
        _setting(report, "load", "processes"),
    ),
    "machine": lambda report: tuple(report.measurements.environment.get(key) for key in ("cpu", "cores")),
}
"""What two runs must have in common to be compared."""


def dominators(costs: Sequence[Cost]) -> list[tuple[int, ...]]:
    """For each point, the places of the undominated ones that are nowhere worse than it, and somewhere better.

    Of n points in O(n^2): suites are short.
    """
    beaten = [[other for other, rival in enumerate(costs) if _dominates(rival, cost)] for cost in costs]
    return [tuple(other for other in others if not beaten[other]) for others in beaten]


def fronts(reports: Sequence[Report]) -> tuple[tuple[Front, ...], tuple[LeftOut, ...]]:
    """The fronts of all runs that can be compared with another one, largest first, and the runs left out.

    A front compares p99 latencies where at least two runs have one to be trusted, and else engine times, which an
    INVALID load test leaves alone.
    """
    left_out = [LeftOut(name=report.name, why=_NO_QUALITY) for report in reports if not measures_quality(report)]
    groups = _comparable([report for report in reports if measures_quality(report)])
    found = []
    for group in groups:
        served = [report for report in group if not math.isnan(_p99_us(report))]
        time: Time = "p99 latency" if len(served) > 1 else "engine time, p50"
        measured = served if len(served) > 1 else [r for r in group if not math.isnan(_engine_us(r))]
        if len(group) == 1:
            others = [other[0] for other in groups if other is not group]
            left_out.append(LeftOut(name=group[0].name, why=_why_alone(group[0], others)))
            continue
        left_out += [LeftOut(name=r.name, why=f"it has no {time} to be trusted") for r in group if r not in measured]
        if measured:
            found.append(_front(measured, time))
    return tuple(found), tuple(left_out)


def _comparable(reports: Sequence[Report]) -> list[list[Report]]:
    """Runs that have all of `_SAME` in common, together; the largest group first."""
    groups: list[list[Report]] = []
    for report in reports:
        group = next((group for group in groups if not _differences(group[0], report)), None)
        if group is None:
            groups.append([report])
        else:
            group.append(report)
    return sorted(groups, key=len, reverse=True)


def _front(group: Sequence[Report], time: Time) -> Front:
    run = group[0].measurements
    time_us = _p99_us if time == "p99 latency" else _engine_us
    points = [_point(report, time_us(report)) for report in group]
    beaten = dominators([point.cost for point in points])
    return Front(
        teacher=run.ledger[0].step,
        teacher_digest=run.ledger[0].digest,
        ndcg=run.ndcg,
        time=time,
        traffic=run.scenario.get("traffic") or {},
        points=tuple(
            point.model_copy(update={"dominated_by": tuple(dict.fromkeys(points[other].name for other in by))})
            for point, by in zip(points, beaten, strict=True)
        ),
    )


def _point(report: Report, time_us: float) -> FrontPoint:
    last = report.measurements.ledger[-1]
    return FrontPoint(
        name=report.name,
        ndcg_drop=last.quality.drop,
        drop_lower=last.quality.drop_lower,
        drop_upper=last.quality.drop_upper,
        time_us=time_us,
        disk_bytes=last.size.disk_bytes,
    )


def _dominates(one: Cost, other: Cost) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _p99_us(report: Report) -> float:
    """NaN where the load test can't be trusted, or was none."""
    measure = report.measure(COMPRESSED)
    trusted = measure is not None and report.verdict.status is not VerdictStatus.INVALID
    return measure.latency_ms.get("p99", math.nan) * 1e3 if measure and trusted else math.nan


def _engine_us(report: Report) -> float:
    return report.measurements.ledger[-1].engine_us


def _differences(one: Report, other: Report) -> list[str]:
    return [name for name, of in _SAME.items() if of(one) != of(other)]


def _why_alone(report: Report, others: Sequence[Report]) -> str:
    if not others:
        return "there is no other run to compare it with"
    differences = min((_differences(report, other) for other in others), key=len)
    return f"no other run has the same {' and '.join(differences)}"


def _setting(report: Report, block: str, key: str) -> Any:
    return (report.measurements.scenario.get(block) or {}).get(key)
