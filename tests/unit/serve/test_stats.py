"""Counters: buckets narrow enough, percentiles those of all workers' requests, slots apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.serve import metrics, stats
from harness.serve.stats import Board


@pytest.fixture
def board() -> Iterator[Board]:
    with Board.file(2) as file:
        yield Board(file.fileno())


@given(st.integers(0, 2**36 - 1))
def test_a_time_lies_in_its_bucket_and_buckets_are_narrow(ns: int) -> None:
    floors = stats.bucket_floors()
    bucket = stats.bucket_of(ns)
    assert floors[bucket] <= ns < floors[bucket + 1]
    assert floors[bucket + 1] - floors[bucket] <= max(1, ns / 64)


def test_times_out_of_range_go_to_the_ends() -> None:
    assert stats.bucket_of(-5) == 0
    assert stats.bucket_of(2**50) == stats.N_BUCKETS - 1


def test_percentiles_over_workers_are_those_of_all_requests(board: Board) -> None:
    rng = np.random.default_rng(1)
    times = rng.lognormal(12, 1, 4000).astype(int)
    slots = board.slot(0), board.slot(1)
    for i, ns in enumerate(times.tolist()):
        slots[i < 100].scored(ns, ns // 2)
    totals = board.totals()
    assert totals[stats.FIRST_STATUS] == times.size
    assert totals[stats.SERVICE_NS] == times.sum()
    for q in (0.01, 0.5, 0.99, 1.0):
        exact = np.quantile(times, q, method="inverted_cdf")
        assert stats.quantile_ns(totals[stats.SERVICE_HIST : stats.ENGINE_HIST], q) == pytest.approx(exact, rel=1 / 64)
        assert stats.quantile_ns(totals[stats.ENGINE_HIST :], q) == pytest.approx(exact / 2, rel=1 / 64)


def test_a_worker_writes_only_its_own_slot(board: Board) -> None:
    board.slot(1).count(413)
    board.slot(1).ready()
    assert not board.all_ready
    assert len(board.pids()) == 1
    board.slot(0).ready()
    assert board.all_ready
    np.testing.assert_array_equal(np.flatnonzero(board.totals()[stats.FIRST_STATUS :]), [2])


def test_prometheus_text_counts_every_request_once(board: Board) -> None:
    for ns in (5_000, 50_000, 1 << 20, 1 << 40):
        board.slot(0).scored(ns, ns)
    board.slot(1).count(400)
    lines = metrics.render(board).decode().splitlines()
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert samples['harness_requests_total{status="200"}'] == "4"
    assert samples['harness_requests_total{status="400"}'] == "1"
    buckets = [int(n) for name, n in samples.items() if name.startswith("harness_service_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[0] == 1
    assert buckets[-2:] == [3, 4]
    assert samples["harness_engine_seconds_count"] == "4"
