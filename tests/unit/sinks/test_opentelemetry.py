"""What an OpenTelemetry collector gets: buckets around the SLA whose counts are those of the samples."""

import numpy as np
import pytest

from harness.errors import SinkError
from harness.protocols import Publication
from harness.records import Report
from harness.samples import Samples
from harness.sinks import opentelemetry as sink

metrics_service = pytest.importorskip(
    "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2", reason="the extra `opentelemetry` is not installed"
)

TIMEOUT_MS = 2000.0


@pytest.fixture
def publication(sample_dir, tmp_path):
    report = Report.model_validate_json((sample_dir / "reports" / "pass.json").read_bytes())
    return Publication(report, Samples.load(sample_dir / "samples.npz"), tmp_path, ())


@pytest.fixture
def collected(publication, serve_http, monkeypatch):
    """The metrics that a collector decodes, by name."""
    bodies = []

    def answer(method, path, headers, body):
        assert path == "/v1/metrics"
        assert headers["authorization"] == "Bearer hunter22"
        bodies.append(body)
        return 200, {}, b""

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", serve_http(answer))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter22")
    sink.publish(publication)
    (body,) = bodies
    (resource,) = metrics_service.ExportMetricsServiceRequest.FromString(body).resource_metrics
    return {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}


def test_the_buckets_are_dense_around_the_sla_and_hold_every_limit(publication):
    bounds = sink.bounds_ms(publication.report)
    limits = [result.limit for result in publication.report.verdict.objectives if result.name.endswith("_ms")]
    assert 25.0 in limits
    assert set(limits) <= set(bounds)
    assert bounds == sorted(bounds)
    assert sum(20 <= bound <= 32 for bound in bounds) >= 5


def test_counts_say_exactly_how_many_requests_were_over_the_limit(collected, publication):
    histogram = collected[sink.DURATION].histogram
    assert collected[sink.DURATION].unit == "ms"
    points = {attribute_of(point, "target"): point for point in histogram.data_points}
    assert set(points) == {"teacher", "compressed"}
    for target, point in points.items():
        latency_ms = publication.samples.judged(target).latency_ms
        assert point.count == latency_ms.size
        assert sum(point.bucket_counts) == point.count
        within = sum(point.bucket_counts[: list(point.explicit_bounds).index(25.0) + 1])
        assert within == int((latency_ms <= 25.0).sum())
        assert point.sum == pytest.approx(np.minimum(latency_ms, TIMEOUT_MS).sum())
        assert attribute_of(point, "scenario") == "feed-25ms"


def test_unanswered_requests_count_as_the_time_out(publication):
    lossy = Samples(**{**vars(publication.samples), "status": np.zeros_like(publication.samples.status)})
    data = sink.metrics_of(Publication(publication.report, lossy, publication.folder, ()))
    histogram = data.resource_metrics[0].scope_metrics[0].metrics[0]
    point = histogram.data.data_points[0]
    assert point.max == TIMEOUT_MS
    assert sum(point.bucket_counts[: point.explicit_bounds.index(25.0) + 1]) == 0


def test_figures_are_gauges_of_their_target(collected):
    points = collected["ranking.p99_ms"].gauge.data_points
    assert {attribute_of(point, "target") for point in points} == {"teacher", "compressed"}
    assert collected["ranking.sla.p99_ms.headroom"].gauge.data_points[0].as_double > 0


def test_a_refusal_is_told_with_its_reason(publication, serve_http, monkeypatch, capfd):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", serve_http(lambda *_: (401, {}, b"no")))
    with pytest.raises(SinkError, match=r"did not take the metrics: .*401"):
        sink.publish(publication)
    assert capfd.readouterr() == ("", "")


def attribute_of(point, key):
    return next((a.value.string_value for a in point.attributes if a.key == key), None)
