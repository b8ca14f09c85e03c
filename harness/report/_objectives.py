"""The objectives of an SLA as words and as a table."""

from __future__ import annotations

import math
from dataclasses import replace

from harness.records import NdcgSpec, ObjectiveResult, Verdict
from harness.report import _numbers as numbers
from harness.report._table import Table

_NAMES = {
    "error_rate": "error rate",
    "min_qps": "throughput",
    "size_mb": "size",
    "memory_mb": "memory",
}


def name(objective: str, ndcg: NdcgSpec) -> str:
    """An objective's name as people say it: `p99_ms` -> `p99`, `ndcg_drop` -> `NDCG@10 lost`."""
    if objective.endswith("_ms"):
        return objective.removesuffix("_ms")
    return f"NDCG@{ndcg.k} lost" if objective == "ndcg_drop" else _NAMES.get(objective, objective.replace("_", " "))


def phrase(result: ObjectiveResult, ndcg: NdcgSpec) -> str:
    """Name and limit: `p99 25 ms`."""
    return f"{name(result.name, ndcg)} {numbers.limit(result.name, result.limit, result.unit)}"


def bounds(result: ObjectiveResult) -> str:
    """The 95 % bounds on the measured value; empty where there are none, open where samples are too few."""
    lower, upper = (numbers.objective(result.name, bound, result.unit) for bound in (result.lower, result.upper))
    match math.isfinite(result.lower), math.isfinite(result.upper):
        case False, False:
            return ""
        case False, True:
            return f"at most {upper}"
        case True, False:
            return f"at least {lower}"
    return f"{lower} to {upper}" if lower != upper else "exact"


def table(verdict: Verdict, ndcg: NdcgSpec, note: str = "") -> Table:
    """Every objective: limit, measured, bounds, headroom, status, reason; `note` below them."""
    rows = tuple(
        (
            name(result.name, ndcg),
            result.status,
            ("≥ " if result.name == "min_qps" else "≤ ") + numbers.limit(result.name, result.limit, result.unit),
            numbers.objective(result.name, result.measured, result.unit),
            bounds(result) or numbers.NOTHING,
            headroom(result),
            result.reason,
        )
        for result in verdict.objectives
    )
    columns = ("objective", "status", "limit", "measured", "95 % bounds", "headroom", "reason")
    return Table("Objectives", columns, rows, n_text=2, wide=(6,), note=note)


def glance(objectives: Table) -> Table:
    """Every objective of `table` without its reason."""
    rows = tuple(row[:-1] for row in objectives.rows)
    return replace(objectives, columns=objectives.columns[:-1], rows=rows, wide=(), note="")


def reasons(objectives: Table) -> Table:
    """How each objective of `table` was decided."""
    rows = tuple((row[0], row[-1]) for row in objectives.rows)
    return Table("How each objective was decided", ("objective", "reason"), rows, wide=(1,), note=objectives.note)


def headroom(result: ObjectiveResult) -> str:
    """Limit minus measured (the other way for throughput); `none` where the percentile was not answered."""
    if math.isinf(result.headroom):
        return "none"
    return numbers.objective(result.name, result.headroom, result.unit)
