"""What the harness itself adds to a latency: is it known for the machine of this run, and how lately?"""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import Calibration, Facts, Finding, Measurements

OLDEST_DAYS = 30.0
COMMAND = "harness calibrate"
IDENTITY = ("cpu", "cores", "kernel")


def noise_floor_findings(measurements: Measurements) -> Iterator[Finding]:
    """Soft: a noise floor that is missing, old, or another machine's."""
    calibration = measurements.calibration
    if calibration is None:
        yield Finding(
            name="no-calibration",
            message="the noise floor of this machine is not known",
            remedy=f"run `{COMMAND}` once on this machine",
        )
        return
    was = outdated(calibration, measurements.environment, measurements.created)
    if was:
        yield Finding(
            name="stale-calibration",
            message=f"the noise floor was measured {was}",
            remedy=f"run `{COMMAND}` again",
            figure=calibration.age_days(measurements.created),
            threshold=OLDEST_DAYS,
            unit="days",
        )


def outdated(calibration: Calibration, environment: Facts, at: str) -> str:
    """Why a calibration does not hold for this machine at that moment (ISO 8601); empty where it does."""
    changed = [key for key in IDENTITY if calibration.machine.get(key) != environment.get(key)]
    if changed:
        return f"with another {' and '.join(changed)}"
    days = calibration.age_days(at)
    return f"{days:.0f} days earlier" if days > OLDEST_DAYS else ""
