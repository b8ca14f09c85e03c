"""A capacity search in words and as a table."""

from __future__ import annotations

import math

from harness.records import CapacityPoint, NdcgSpec, TargetCapacity, VerdictStatus
from harness.report import _numbers as numbers
from harness.report import _objectives as objectives
from harness.report._table import Cell, Table
from harness.studies import Capacity


def sentence(capacity: Capacity) -> str:
    """The capacity, how sure it is, and the knee."""
    if not capacity.points:
        return "Nothing was measured."
    parts = [f"The ranker meets {_asked(capacity)} {_up_to(capacity)}"]
    if not math.isnan(capacity.knee_qps):
        knee = f"{numbers.figure(capacity.knee_qps)} requests/s ({capacity.knee_of})"
        parts.append(f"its latency begins to grow faster than the load at about {knee}")
    return "; ".join(parts) + "."


def table(capacity: TargetCapacity, title: str = "Load tests") -> Table:
    """Every point, ascending by rate."""
    rows = tuple(_row(point) for point in sorted(capacity.points, key=lambda point: point.offered_qps))
    columns = (
        "offered", "verdict", "answered", "requests", "window", "p50", "p99", "of the limit", "bounds", "decided by",
    )  # fmt: skip
    note = "Of the limit: the objective that is nearest to its limit, or farthest over it; its 95 % bounds."
    return Table(title, columns, rows, n_text=2, wide=(9,), note=note)


def rate(capacity: TargetCapacity | None) -> str:
    """The capacity as a figure: its estimate, else the side on which it is open."""
    if capacity is None:
        return numbers.NOTHING
    if not math.isnan(capacity.estimate_qps):
        return numbers.figure(capacity.estimate_qps, "/s")
    if capacity.lower_qps and math.isinf(capacity.upper_qps):
        return f"over {numbers.figure(capacity.lower_qps, 'requests/s')}"
    if math.isfinite(capacity.upper_qps) and not capacity.lower_qps:
        return f"under {numbers.figure(capacity.upper_qps, 'requests/s')}"
    return numbers.NOTHING


def decided(capacity: TargetCapacity | None) -> str:
    """The highest rate that passed and the lowest that failed."""
    if capacity is None:
        return numbers.NOTHING
    lower = numbers.figure(capacity.lower_qps) if capacity.lower_qps else "none"
    upper = numbers.figure(capacity.upper_qps) if math.isfinite(capacity.upper_qps) else "none"
    return f"{lower}, {upper}"


def change(before: TargetCapacity | None, after: TargetCapacity | None) -> str:
    """How the estimates compare; empty where one is open."""
    if before is None or after is None:
        return ""
    return numbers.ratio(before.estimate_qps, after.estimate_qps, "lower", "higher")


def _asked(capacity: Capacity) -> str:
    results = capacity.points[0].objectives
    return " and ".join(objectives.phrase(result, capacity.measurements.ndcg) for result in results)


def _up_to(capacity: Capacity) -> str:
    lower, upper = numbers.figure(capacity.lower_qps), numbers.figure(capacity.upper_qps)
    about = "" if math.isnan(capacity.estimate_qps) else f"about {numbers.figure(capacity.estimate_qps)} requests/s"
    match capacity.lower_qps > 0, math.isfinite(capacity.upper_qps):
        case True, True:
            shown = f"{lower} passed, {upper} failed"
        case True, False:
            shown = f"{lower} passed, and nothing failed"
        case False, True:
            shown = f"nothing passed, and {upper} failed"
        case _:
            shown = "no load test was decided"
    if not about:
        return f"up to a rate that is open: {shown}"
    return f"up to {about} ({shown})"


def _row(point: CapacityPoint) -> tuple[Cell, ...]:
    measure = point.measure
    return (
        numbers.figure(point.offered_qps, "/s"),
        point.status,
        numbers.figure(measure.achieved_qps, "/s"),
        f"{measure.n_planned:,}",
        numbers.figure(measure.window_s, "s"),
        numbers.ms(measure.latency_ms["p50"]),
        numbers.ms(measure.latency_ms["p99"]),
        numbers.share(point.strain),
        *_decided_by(point),
    )


def _decided_by(point: CapacityPoint) -> tuple[str, str]:
    """Bounds and name of the objective that strains most; the findings that make a point INVALID stand in its place."""
    if point.status is VerdictStatus.INVALID:
        return numbers.NOTHING, ", ".join(dict.fromkeys(finding.name for finding in point.findings if finding.hard))
    result = max(point.objectives, key=lambda result: result.measured / (result.limit or 1e-9))
    return objectives.bounds(result) or numbers.NOTHING, objectives.name(result.name, NdcgSpec())
