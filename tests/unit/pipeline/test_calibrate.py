"""The search for the highest honest rate on a generator of known limits, and where calibrations are kept."""

from __future__ import annotations

import math

import pytest

from harness.environment import identity
from harness.errors import HarnessError
from harness.pipeline.calibrate import PLAIN, plain_data, search, tried
from harness.pipeline.calibrations import keep, newest
from harness.records import Calibration, MachineMeasure, RateTried, TargetMeasure


def attempts_of(limit_qps: float):
    """A generator that is honest up to `limit_qps`."""
    asked: list[float] = []

    def attempt(qps: float) -> RateTried:
        asked.append(qps)
        return RateTried(
            offered_qps=qps, send_lag_ms_p99=0.1, generator_cpu_share_max=0.1, n_lost=0, honest=qps <= limit_qps
        )

    return attempt, asked


@pytest.mark.parametrize("limit_qps", [1.7, 199, 200, 201, 1500, 3199])
def test_the_limit_is_found_to_a_tenth_from_either_side(limit_qps):
    attempt, asked = attempts_of(limit_qps)
    rates = search(200, attempt)
    best = max(rate.offered_qps for rate in rates if rate.honest)
    assert best <= limit_qps <= 1.1 * best
    assert len(asked) == len(set(asked)) <= 12


@pytest.mark.parametrize(("limit_qps", "honest"), [(0, False), (math.inf, True)])
def test_it_ends_where_there_is_no_limit_in_reach(limit_qps, honest):
    attempt, asked = attempts_of(limit_qps)
    assert {rate.honest for rate in search(200, attempt)} == {honest}
    assert len(asked) <= 12
    assert max(asked) <= 50_000


def seen(**changes: object) -> TargetMeasure:
    known = {
        "target": "null", "n_planned": 400, "n_ok": 400, "n_failed": 0, "n_unsent": 0, "window_s": 2,
        "achieved_qps": 200, "error_rate": 0, "latency_ms": {}, "round_trip_ms": {}, "send_lag_ms": {"p99": 0.3},
        "machine": MachineMeasure(generator_cpu_share_max=0.7),
    }  # fmt: skip
    return TargetMeasure(**(known | changes))


@pytest.mark.parametrize(
    ("changes", "honest"),
    [
        ({}, True),
        ({"machine": MachineMeasure()}, True),
        ({"send_lag_ms": {"p99": 0.51}}, False),
        ({"send_lag_ms": {"p99": math.nan}}, False),
        ({"machine": MachineMeasure(generator_cpu_share_max=0.81)}, False),
        ({"n_unsent": 1}, False),
        ({"n_failed": 1}, False),
    ],
)
def test_honest_means_on_time_with_time_to_spare_and_nothing_lost(changes, honest):
    assert tried(seen(**changes), 200, 0.5).honest is honest


def calibration(created: str, **machine: object) -> Calibration:
    return Calibration(
        created=created, tool_version="0", machine=identity() | machine, traffic={"offered_qps": 200.0},
        request_bytes=1, measure=seen(), send_lag_limit_ms=0.5, honest_qps=math.nan,
    )  # fmt: skip


def test_the_newest_of_this_machine_is_found_again(tmp_path):
    assert newest(tmp_path) is None
    keep(calibration("2025-01-03T00:00:00+00:00", kernel="other"), tmp_path)
    assert newest(tmp_path).machine["kernel"] == "other"  # better than none: it is reported as stale
    for day in (1, 2):
        keep(calibration(f"2025-01-0{day}T00:00:00+00:00"), tmp_path)
    found = newest(tmp_path)
    assert found.created == "2025-01-02T00:00:00+00:00"
    assert math.isnan(found.honest_qps)
    assert len(list((tmp_path / "calibrations").iterdir())) == 3


def test_a_damaged_file_counts_as_none(tmp_path):
    path = keep(calibration("2025-01-01T00:00:00+00:00"), tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    assert newest(tmp_path) is None


def test_a_cache_that_can_not_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "calibrations").write_text("in the way")
    with pytest.raises(HarnessError, match="can't keep the calibration"):
        keep(calibration("2025-01-01T00:00:00+00:00"), tmp_path)


def test_the_plain_traffic_is_that_of_the_benchmarks():
    data = plain_data()
    assert PLAIN.n_candidates * data.features.shape[1] * data.features.itemsize == 54_400
