"""OpenMetrics text: what was measured as gauges in base units, for Prometheus' textfile collector or a push gateway.

One family per quantity, labelled by scenario, run and, where there are several, by target, percentile or step of the
recipe; the verdict is a state set. Times are seconds, sizes bytes, shares ratios. A percentile that requests left
unanswered is `+Inf`. The format: https://github.com/prometheus/OpenMetrics, version 1.0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from harness.printable import printable
from harness.records import LedgerRow, Report, VerdictStatus

SUFFIX = "metrics.prom"

Sample = tuple[Mapping[str, str], float]
_FAMILIES = {
    "harness_objective_limit": "What the SLA allows, in the unit of the objective.",
    "harness_objective_measured": "What was measured of the objective.",
    "harness_objective_lower": "Lower 95 % bound on what was measured.",
    "harness_objective_upper": "Upper 95 % bound on what was measured.",
    "harness_latency_seconds": "Latency from the due time, by percentile; +Inf on requests failed or not sent.",
    "harness_send_lag_seconds": "How late the generator sent, by percentile.",
    "harness_error_ratio": "Requests failed or not sent, as a share of those planned.",
    "harness_achieved_requests_per_second": "Answered requests per second of the judged windows.",
    "harness_resident_memory_bytes": "Resident memory of the server.",
    "harness_ndcg": "NDCG of the test split after a step of the recipe.",
    "harness_ndcg_drop": "NDCG lost against the teacher after a step of the recipe.",
    "harness_ndcg_drop_upper": "Upper 95 % bound on the NDCG lost.",
    "harness_bundle_bytes": "Size on disk after a step of the recipe.",
    "harness_engine_seconds": "Median time to score one candidate list after a step of the recipe.",
    "harness_findings": "Findings of the run, 1 each.",
}


def render(reports: Sequence[Report]) -> str:
    """All runs in one exposition."""
    each_once = list({(report.name, report.run): report for report in reports}.values())
    samples: dict[str, list[Sample]] = {name: [] for name in _FAMILIES}
    for report in each_once:
        for name, sample in _samples(report):
            samples[name].append(sample)
    lines = [
        "# TYPE harness_verdict stateset",
        "# HELP harness_verdict What the run amounts to.",
        *(
            _line("harness_verdict", {**_of(report), "harness_verdict": status}, report.verdict.status == status)
            for report in each_once
            for status in VerdictStatus
        ),
    ]
    for name, found in samples.items():
        lines += [f"# TYPE {name} gauge", *_unit(name), f"# HELP {name} {_FAMILIES[name]}"]
        lines += [_line(name, labels, value) for labels, value in found]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _samples(report: Report) -> Iterator[tuple[str, Sample]]:
    run = _of(report)
    for objective in report.verdict.objectives:
        labels = {**run, "objective": objective.name}
        yield "harness_objective_limit", (labels, objective.limit)
        yield "harness_objective_measured", (labels, objective.measured)
        yield "harness_objective_lower", (labels, objective.lower)
        yield "harness_objective_upper", (labels, objective.upper)
    for measure in report.measures:
        labels = {**run, "target": measure.target}
        for name, milliseconds in (("latency", measure.latency_ms), ("send_lag", measure.send_lag_ms)):
            for percentile, value in milliseconds.items():
                yield f"harness_{name}_seconds", ({**labels, "percentile": percentile}, value / 1e3)
        yield "harness_error_ratio", (labels, measure.error_rate)
        yield "harness_achieved_requests_per_second", (labels, measure.achieved_qps)
        yield "harness_resident_memory_bytes", (labels, measure.memory_mb * 1e6)
    for place, row in enumerate(report.measurements.ledger):
        labels = {**run, "step": f"{place} {row.step}"}
        yield from ((name, (labels, value)) for name, value in _ledger(row))
    counted = {(finding.name, finding.target) for finding in report.verdict.findings}
    for finding, target in sorted(counted):
        yield "harness_findings", ({**run, "finding": finding, "target": target}, 1.0)


def _ledger(row: LedgerRow) -> Iterator[tuple[str, float]]:
    yield "harness_bundle_bytes", float(row.size.disk_bytes)
    yield "harness_engine_seconds", row.engine_us / 1e6
    yield "harness_ndcg", row.quality.ndcg
    yield "harness_ndcg_drop", row.quality.drop
    yield "harness_ndcg_drop_upper", row.quality.drop_upper


def _of(report: Report) -> dict[str, str]:
    return {"scenario": report.name, "run": report.run}


def _unit(name: str) -> list[str]:
    unit = next((unit for unit in ("seconds", "bytes", "ratio") if name.endswith(f"_{unit}")), "")
    return [f"# UNIT {name} {unit}"] if unit else []


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{shown}}} {_number(float(value))}"


def _escaped(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if math.isinf(value) else repr(value)
