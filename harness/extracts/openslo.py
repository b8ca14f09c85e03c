"""OpenSLO: the SLA itself as a document that SLO tools read, to watch in production what was tested here.

A `Service` per scenario; an `SLO` per latency percentile (the share of requests within the limit) and one for the error
rate. What is no matter of single requests (NDCG, size, memory, throughput) stands in the service's annotations.
Queries name a Prometheus histogram `http_request_duration_seconds` with the label `service`: put yours in their place,
with a bucket at the limit. The format: openslo/v1, https://github.com/OpenSLO/OpenSLO.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from harness.printable import printable
from harness.records import Report

SUFFIX = "openslo.yaml"
_DESCRIPTION_MAX = 1050


def render(reports: Sequence[Report]) -> str:
    """The SLAs of all runs as YAML documents, each scenario once."""
    from ruamel.yaml import YAML

    asked = {_name(report.name): report for report in reports}
    out, yaml = StringIO(), YAML()
    yaml.explicit_start = True
    yaml.width = 120
    for name, report in asked.items():
        for document in _documents(name, report):
            yaml.dump(document, out)
    return out.getvalue()


def _documents(service: str, report: Report) -> Iterator[dict[str, Any]]:
    sla: dict[str, Any] = report.measurements.scenario.get("sla") or {}
    limits = {name: limit for name, limit in sla.items() if isinstance(limit, int | float)}
    about = " ".join(str(report.measurements.scenario.get("description") or report.name).split())
    others = {name: limit for name, limit in limits.items() if not (name.endswith("_ms") or name == "error_rate")}
    yield {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {
            "name": service,
            "displayName": printable(report.name),
            **(
                {"annotations": {f"ranking-sla/{name}": f"{limit:g}" for name, limit in others.items()}}
                if others
                else {}
            ),
        },
        "spec": {"description": printable(about)[:_DESCRIPTION_MAX]},
    }
    total = _query(f'sum(http_request_duration_seconds_count{{service="{service}"}})')
    for name, limit in limits.items():
        if name.endswith("_ms"):
            percentile = name.removesuffix("_ms")
            within = f'service="{service}",le="{limit / 1e3}"'
            good = _query(f"sum(http_request_duration_seconds_bucket{{{within}}})")
            shown, metric = f"{percentile} within {limit:g} ms", {"counter": True, "good": good, "total": total}
            yield _slo(service, f"latency-{percentile}", shown, metric, _share(percentile))
        elif name == "error_rate":
            failed = f'service="{service}",code=~"5.."'
            bad = _query(f"sum(http_request_duration_seconds_count{{{failed}}})")
            metric = {"counter": True, "bad": bad, "total": total}
            yield _slo(service, "errors", f"at most {limit:g} of requests fail", metric, 1 - limit)


def _slo(service: str, name: str, shown: str, metric: dict[str, Any], target: float) -> dict[str, Any]:
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": _name(f"{service}-{name}"), "displayName": shown},
        "spec": {
            "service": service,
            "indicator": {"metadata": {"name": _name(f"{service}-{name}-sli")}, "spec": {"ratioMetric": metric}},
            "timeWindow": [{"duration": "4w", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": shown, "target": round(target, 9)}],
        },
    }


def _share(percentile: str) -> float:
    """The share that a percentile names: `p99` -> 0.99, `p999` -> 0.999."""
    return float(f"0.{percentile.removeprefix('p')}")


def _query(promql: str) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": promql}}}


def _name(text: str) -> str:
    """A name by RFC 1123: at most 63 lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "scenario"
