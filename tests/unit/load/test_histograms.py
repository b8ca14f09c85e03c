"""Histograms hold the judged latencies, with failures above every limit."""

from __future__ import annotations

import numpy as np
from hdrh.histogram import HdrHistogram

from harness.load.histograms import HIGHEST_US, latency_histograms
from harness.samples import TRANSPORT_ERROR, UNSENT, Samples


def samples(latency_ms: np.ndarray, status: np.ndarray, warm_up: int) -> Samples:
    n = latency_ms.size
    due = np.arange(n) * 0.01
    return Samples(
        ("teacher", "compressed"),
        np.zeros(n, np.int16),
        np.zeros(n, np.int16),
        np.arange(n) >= warm_up,
        due,
        due,
        due + latency_ms / 1e3,
        status.astype(np.int16),
        np.ones(n, np.int32),
        np.zeros(n, np.int32),
    )


def test_percentiles_survive_and_warm_up_does_not_count() -> None:
    latency_ms = np.random.default_rng(1).lognormal(1, 1, 5000)
    encoded = latency_histograms(samples(latency_ms, np.full(5000, 200), 1000))
    histogram = HdrHistogram.decode(encoded["teacher"])
    assert histogram.get_total_count() == 4000
    for q in (50, 90, 99):
        exact_us = np.percentile(latency_ms[1000:], q, method="inverted_cdf") * 1e3
        assert abs(histogram.get_value_at_percentile(q) / exact_us - 1) < 0.002
    assert HdrHistogram.decode(encoded["compressed"]).get_total_count() == 0


def test_failed_and_unsent_requests_stand_at_the_top() -> None:
    status = np.array([200] * 97 + [500, TRANSPORT_ERROR, UNSENT])
    histogram = HdrHistogram.decode(latency_histograms(samples(np.full(100, 2.0), status, 0))["teacher"])
    assert histogram.get_value_at_percentile(97) < 2010
    assert histogram.get_value_at_percentile(98) > HIGHEST_US * 0.99
