"""The load test end to end: every request of the plan, with honest times, whatever the server does."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from harness.samples import TRANSPORT_ERROR, UNSENT


def test_every_planned_request_appears_once_with_honest_times(load, url) -> None:
    told = []
    cpus = [min(os.sched_getaffinity(0))]
    samples, info = load(url, url, rounds=2, cpus=cpus, progress=told.append)
    assert info.complete
    assert info.n_planned == len(samples)
    assert info.arrival == "poisson"
    assert info.notes == ()
    assert info.timer
    assert 0 < info.generator_cpu_share <= info.generator_cpu_share_max < 1.5
    assert samples.ok.all()
    assert samples.targets == ("teacher", "compressed")
    assert (np.diff(samples.segment) >= 0).all()
    blocks = [samples.where(samples.segment == number) for number in range(4)]
    assert [block.target[0] for block in blocks] == [0, 1, 1, 0]
    for block in blocks:
        assert (np.diff(block.due_s) >= 0).all()
        np.testing.assert_array_equal(block.in_window, block.due_s >= 0.3)
    for first, second in ((blocks[0], blocks[1]), (blocks[2], blocks[3])):
        np.testing.assert_array_equal(first.due_s, second.due_s)
        np.testing.assert_array_equal(first.body, second.body)
    assert (samples.send_lag_ms >= 0).all()
    assert (samples.latency_ms >= samples.round_trip_ms).all()
    assert (samples.round_trip_ms > 0).all()
    assert (samples.n_candidates == 20).all()
    assert len(load.samples()) == len(samples)
    histograms = json.loads((load.out / "histograms.json").read_text())
    for name in samples.targets:
        assert HdrHistogram.decode(histograms[name]).get_total_count() == len(samples.judged(name))
    assert str(told[-1]).startswith("teacher, round 2/2: done")
    assert told[-1].latency_ms["p50"] == pytest.approx(np.median(samples.judged("teacher").latency_ms), rel=0.1)
    assert not (load.out / "plan").exists()


def test_a_frozen_server_shows_from_the_due_time(load, start_server) -> None:
    samples, info = load(start_server("fine.py", "--stall-at", 60).url, arrival="constant")
    assert info.complete
    latency_ms = samples.judged("compressed").latency_ms
    assert latency_ms.max() >= 299
    assert (latency_ms > 100).sum() >= 15  # 0.2 s of arrivals at 100/s came due while it was frozen


def test_closed_arrival_hides_the_same_freeze(load, start_server) -> None:
    samples, info = load(start_server("fine.py", "--stall-at", 60).url, arrival="closed")
    assert info.n_planned == len(samples) > 100
    np.testing.assert_array_equal(samples.due_s, samples.sent_s)
    assert (np.diff(samples.due_s) > 0).all()
    assert 1 <= (samples.latency_ms >= 299).sum() < 5


def test_over_the_cap_requests_stay_unsent(load, start_server) -> None:
    url = start_server("fine.py", "--stall-at", 60).url
    samples, info = load(url, arrival="constant", max_in_flight=2)
    unsent = samples.status == UNSENT
    assert len(samples) == info.n_planned
    assert unsent.sum() >= 20
    assert np.isnan(samples.sent_s[unsent]).all()
    assert np.isinf(samples.latency_ms[unsent]).all()
    assert samples.ok[~unsent].all()


def test_server_errors_are_failures_and_named(load, start_server) -> None:
    samples, info = load(start_server("fine.py", "--fail-every", 10).url)
    failed = samples.status == 500
    assert abs(failed.sum() - len(samples) / 10) <= 1
    assert samples.ok[~failed].all()
    assert np.isfinite(samples.done_s).all()
    assert np.isinf(samples.latency_ms[failed]).all()
    assert any("HTTP 500: fine" in note for note in info.notes)


def test_a_server_killed_midway_ends_in_errors_not_in_a_hang(load, start_server) -> None:
    server = start_server("fine.py")
    samples, info = load(server.url, window_s=2.5, progress=lambda _: server.process.kill())
    assert info.complete
    assert len(samples) == info.n_planned
    assert samples.ok[:50].all()
    assert (samples.status[-50:] == TRANSPORT_ERROR).all()
    assert any("compressed: last failure" in note for note in info.notes)


def test_a_recording_is_replayed(load, url, tmp_path) -> None:
    (tmp_path / "arrivals.csv").write_text("\n".join(f"{100 + i / 40}" for i in range(40)))
    samples, info = load(url, arrival="replay", arrivals=tmp_path / "arrivals.csv", window_s=1.19)
    np.testing.assert_allclose(samples.due_s, np.arange(60) / 40, atol=1e-9)
    assert info.offered_qps == pytest.approx(40, rel=0.01)
    assert samples.ok.all()
