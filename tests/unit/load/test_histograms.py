"""Tallies: judged latencies with failures above every limit, counts per second, merged without loss."""

from __future__ import annotations

import numpy as np
from hdrh.histogram import HdrHistogram

from harness.load.histograms import HIGHEST_US, Tally, encoded
from harness.load.recording import ROW
from harness.load.schedule import Segment
from harness.samples import TRANSPORT_ERROR, UNSENT


def rows_of(latency_ms: np.ndarray, status: np.ndarray) -> np.ndarray:
    rows = np.zeros(latency_ms.size, ROW)
    rows["due_s"] = rows["sent_s"] = np.arange(latency_ms.size) * 0.01
    rows["done_s"], rows["status"] = rows["due_s"] + latency_ms / 1e3, status
    return rows


def segment(warm_up_s: float, duration_s: float) -> Segment:
    return Segment(0, 0, warm_up_s, duration_s, np.empty(0), np.empty(0, np.int32))


def test_percentiles_survive_and_warm_up_does_not_count() -> None:
    latency_ms = np.random.default_rng(1).lognormal(1, 1, 5000)
    tally = Tally.of(rows_of(latency_ms, np.full(5000, 200)), segment(9.995, 50))
    histogram = HdrHistogram.decode(encoded(tally.histogram))
    assert histogram.get_total_count() == 4000
    for q in (50, 90, 99):
        exact_us = np.percentile(latency_ms[1000:], q, method="inverted_cdf") * 1e3
        assert abs(histogram.get_value_at_percentile(q) / exact_us - 1) < 0.002


def test_failed_and_unsent_requests_stand_at_the_top() -> None:
    status = np.array([200] * 97 + [500, TRANSPORT_ERROR, UNSENT])
    histogram = Tally.of(rows_of(np.full(100, 2.0), status), segment(0, 1)).histogram
    assert histogram.get_value_at_percentile(97) < 2010
    assert histogram.get_value_at_percentile(98) > HIGHEST_US * 0.99


def test_seconds_count_what_was_due_done_failed_and_unsent_in_them() -> None:
    latency_ms = np.full(250, 2.0)
    latency_ms[99] = 1000  # due in the first second, answered in the second; the last ones come after the end
    latency_ms[-2:] = 5000
    status = np.full(250, 200)
    status[[150, 160, 170]] = 500, TRANSPORT_ERROR, UNSENT
    seconds = Tally.of(rows_of(latency_ms, status), segment(1, 2.5)).seconds
    assert seconds.tolist() == [[100, 99, 0, 0], [100, 98, 2, 1], [50, 50, 0, 0]]


def test_workers_merge_as_if_they_were_one() -> None:
    latency_ms, status = np.random.default_rng(2).lognormal(1, 1, 600), np.full(600, 200)
    rows, whole = rows_of(latency_ms, status), segment(1, 6)
    parts = [Tally.from_data(Tally.of(rows[k::3], whole).to_data()) for k in range(3)]
    merged, direct = parts[0].merge(parts[1]).merge(parts[2]), Tally.of(rows, whole)
    np.testing.assert_array_equal(merged.seconds, direct.seconds)
    assert merged.histogram.get_total_count() == 500
    for q in (50, 90, 99, 100):
        assert merged.histogram.get_value_at_percentile(q) == direct.histogram.get_value_at_percentile(q)
