import pytest

from harness.judge.noise_floor import noise_floor_findings
from harness.records import Calibration, Measurements, TargetMeasure

MACHINE = {"cpu": "Example", "cores": 2, "kernel": "Linux 6.1"}


def found(created: str = "2025-01-30T12:00:00+00:00", **changed: object):
    calibration = Calibration(
        created=created,
        tool_version="0",
        machine=MACHINE | changed,
        traffic={},
        request_bytes=1,
        measure=TargetMeasure(
            target="null", n_planned=1, n_ok=1, n_failed=0, n_unsent=0, window_s=1, achieved_qps=1, error_rate=0,
            latency_ms={}, round_trip_ms={}, send_lag_ms={},
        ),
        send_lag_limit_ms=0.5,
        honest_qps=1000,
    )  # fmt: skip
    return list(noise_floor_findings(run(calibration)))


def run(calibration: Calibration | None) -> Measurements:
    return Measurements(
        tool_version="0", created="2025-01-31T12:00:00+00:00", command="", scenario={},
        environment=MACHINE | {"python": "3"}, calibration=calibration,
    )  # fmt: skip


def test_a_fresh_one_of_this_machine_is_no_finding():
    assert found() == []


def test_none_says_which_command_makes_one():
    (finding,) = noise_floor_findings(run(None))
    assert (finding.name, finding.hard) == ("no-calibration", False)
    assert "harness calibrate" in finding.remedy


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"created": "2024-12-31T11:59:59+00:00"}, "31 days"),
        ({"kernel": "Linux 5.15"}, "kernel"),
        ({"cpu": "Other", "cores": 4}, "cpu and cores"),
    ],
)
def test_an_old_one_or_another_machines_is_stale(changes, word):
    (finding,) = found(**changes)
    assert (finding.name, finding.hard) == ("stale-calibration", False)
    assert word in finding.message
