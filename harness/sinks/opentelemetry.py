"""OpenTelemetry: latency histograms with buckets around the SLA, and all other figures as gauges, over OTLP/HTTP.

Where to and as whom are the standard variables: `OTEL_EXPORTER_OTLP_ENDPOINT` (else http://localhost:4318),
`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES` and their like. Needs the extra `opentelemetry`. A run is over
when it is sent, so its data points are made of its samples at once, without instruments that would be told each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import SinkError
from harness.protocols import Publication
from harness.ranking_data import Floats
from harness.records import Report
from harness.samples import Samples
from harness.sinks._figures import Figure, figures

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint, Metric, MetricsData

DURATION = "ranking.request.duration"
_USUAL_LIMIT_MS = 25.0
_BELOW, _AROUND, _ABOVE = (0.04, 0.1, 0.2, 0.4, 0.6), (0.8, 0.9, 1.0, 1.1, 1.25), (1.5, 2.0, 4.0, 10.0, 40.0)


def publish(publication: Publication) -> str:
    """Send the run once; the scope that its metrics are in. SinkError where they were not taken."""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics.export import MetricExportResult
    except ImportError as error:
        raise SinkError.missing("opentelemetry", error) from error

    exporter = OTLPMetricExporter()
    try:
        with _heard() as said:
            result = exporter.export(metrics_of(publication))
    finally:
        exporter.shutdown()
    if result is not MetricExportResult.SUCCESS:
        raise SinkError(
            f"the collector did not take the metrics: {'; '.join(said) or 'no reason given'}",
            where="opentelemetry",
            remedy="check OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS",
        )
    return f"metrics {DURATION} and ranking.* of service ranking-latency-harness"


def bounds_ms(report: Report) -> list[float]:
    """Upper bounds of the buckets: dense around every latency limit, which is one of them."""
    limits = [result.limit for result in report.verdict.objectives if result.name.endswith("_ms")] or [_USUAL_LIMIT_MS]
    around = [limit * multiple for limit in limits for multiple in _AROUND]
    beyond = [min(limits) * multiple for multiple in _BELOW] + [max(limits) * multiple for multiple in _ABOVE]
    return sorted({round(bound, 6) for bound in (*around, *beyond)})


def metrics_of(publication: Publication) -> MetricsData:
    """The run as OpenTelemetry has it."""
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    report = publication.report
    resource = Resource.create(
        {"service.name": "ranking-latency-harness", "service.version": report.measurements.tool_version}
    )
    metrics = [*_histograms(report, publication.samples), *_gauges(report)]
    scope = ScopeMetrics(InstrumentationScope("harness", report.measurements.tool_version), metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _histograms(report: Report, samples: Samples | None) -> Iterator[Metric]:
    from opentelemetry.sdk.metrics.export import AggregationTemporality, Histogram, Metric

    if samples is None:
        return
    bounds = bounds_ms(report)
    timeout_ms = 1e3 * float((report.measurements.scenario.get("traffic") or {}).get("timeout_s", np.inf))
    points = []
    for measure in report.measures:
        judged = samples.judged(measure.target)
        points.append(_point(report, measure.target, np.minimum(judged.latency_ms, timeout_ms), bounds))
    about = "latency from the due time of judged requests; failed and unsent ones count as the time-out"
    data = Histogram(points, AggregationTemporality.CUMULATIVE)
    yield Metric(DURATION, about, "ms", data)


def _point(report: Report, target: str, latency_ms: Floats, bounds: list[float]) -> HistogramDataPoint:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    counts = np.bincount(np.searchsorted(bounds, latency_ms, side="left"), minlength=len(bounds) + 1)
    begun, now = _times_ns(report)
    return HistogramDataPoint(
        attributes=_attributes(report, target),
        start_time_unix_nano=begun,
        time_unix_nano=now,
        count=int(latency_ms.size),
        sum=float(latency_ms.sum()),
        bucket_counts=counts.tolist(),
        explicit_bounds=bounds,
        min=float(latency_ms.min(initial=np.inf)),
        max=float(latency_ms.max(initial=0.0)),
    )


def _gauges(report: Report) -> Iterator[Metric]:
    from opentelemetry.sdk.metrics.export import Gauge, Metric, NumberDataPoint

    begun, now = _times_ns(report)
    by_name: dict[str, list[Figure]] = {}
    for figure in figures(report):
        by_name.setdefault(figure.name, []).append(figure)
    for name, several in by_name.items():
        points = [NumberDataPoint(_attributes(report, one.target), begun, now, one.value) for one in several]
        yield Metric(f"ranking.{name.replace('/', '.')}", "", several[0].unit, Gauge(points))


def _attributes(report: Report, target: str) -> dict[str, str]:
    known = {
        "scenario": report.name, "run": report.run, "target": target, "verdict": report.verdict.status.value,
        "engine": next((info.engine for info in report.measurements.targets if info.target == target), ""),
    }  # fmt: skip
    return {key: value for key, value in known.items() if value}


def _times_ns(report: Report) -> tuple[int, int]:
    return int(datetime.fromisoformat(report.measurements.created).timestamp() * 1e9), time.time_ns()


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What the exporter logs, which is the only place where it gives its reasons; none of it is printed."""
    logger, said = logging.getLogger("opentelemetry.exporter"), list[str]()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, printed = Listener(logging.WARNING), logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(listener)
        logger.propagate = printed
