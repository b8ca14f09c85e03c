"""What every tracker gets of a run: its figures as numbers, and what it was as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.records import COMPRESSED, TARGET, Report, TargetMeasure


class Figure(NamedTuple):
    """A number with its name and unit (of UCUM, as OpenTelemetry has them), and the target that it is of, if any."""

    name: str
    value: float
    unit: str = ""
    target: str = ""

    @property
    def key(self) -> str:
        """Name of the figure where targets have no place of their own: `compressed/p99_ms`."""
        return f"{self.target}/{self.name}" if self.target else self.name


def figures(report: Report) -> Iterator[Figure]:
    """All finite figures; a percentile that requests were not answered at is left out, `error_rate` tells of those."""
    return (figure for figure in _figures(report) if math.isfinite(figure.value))


def settings(report: Report) -> dict[str, str]:
    """What was run: verdict, engines, digests, machine, and every key of the resolved scenario."""
    run = report.measurements
    known = {
        "verdict": report.verdict.status.value,
        "findings": ", ".join(sorted({finding.name for finding in report.verdict.findings})),
        "tool_version": run.tool_version,
        "created": run.created,
        "cpu": str(run.environment.get("cpu", "")),
        "cores": str(run.environment.get("cores", "")),
        "schedule_sha256": run.load.schedule_sha256 if run.load else "",
        **{f"{info.target}.engine": info.engine for info in run.targets},
        **{f"{info.target}.bundle": info.bundle_digest for info in run.targets},
        **{f"scenario.{key}": value for key, value in _flat(run.scenario) if key != "description"},
    }
    return {key: value for key, value in known.items() if value}


def _figures(report: Report) -> Iterator[Figure]:
    for measure in report.measures:
        yield from _of_target(measure)
    for capacity in report.capacities:
        yield Figure("capacity_qps", capacity.estimate_qps, "{request}/s", capacity.target)
    if report.measurements.ledger:
        last = report.measurements.ledger[-1]
        subject = TARGET if report.measurements.scenario.get("target") else COMPRESSED
        yield Figure("ndcg", last.quality.ndcg, "1", subject)
        yield Figure("ndcg_drop", last.quality.drop, "1", subject)
        yield Figure("ndcg_drop_upper", last.quality.drop_upper, "1", subject)
    for result in report.verdict.objectives:
        yield Figure(f"sla/{result.name}/limit", result.limit, result.unit)
        yield Figure(f"sla/{result.name}/headroom", result.headroom, result.unit)


def _of_target(measure: TargetMeasure) -> Iterator[Figure]:
    for name, value in measure.latency_ms.items():
        yield Figure(f"{name}_ms", value, "ms", measure.target)
    yield Figure("error_rate", measure.error_rate, "1", measure.target)
    yield Figure("achieved_qps", measure.achieved_qps, "{request}/s", measure.target)
    yield Figure("size_mb", measure.size_mb, "MBy", measure.target)
    yield Figure("memory_mb", measure.memory_mb, "MBy", measure.target)
    for name in ("engine_us_p50", "service_us_p50"):
        if name in measure.server:
            yield Figure(name, measure.server[name], "us", measure.target)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for key, item in value.items():
                yield from _flat(item, f"{path}.{key}" if path else str(key))
        case list() | tuple():
            for place, item in enumerate(value):
                yield from _flat(item, f"{path}.{place}")
        case None:
            return
        case _:
            yield path, str(value)
