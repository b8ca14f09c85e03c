"""What the harness itself adds to a latency: is it known for the machine of this run, and how lately?"""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import Finding, Measurements

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
    changed = [key for key in IDENTITY if calibration.machine.get(key) != measurements.environment.get(key)]
    days = calibration.age_days(measurements.created)
    if changed or days > OLDEST_DAYS:
        was = f"with another {' and '.join(changed)}" if changed else f"{days:.0f} days before this run"
        yield Finding(
            name="stale-calibration",
            message=f"the noise floor was measured {was}",
            remedy=f"run `{COMMAND}` again",
            figure=days,
            threshold=OLDEST_DAYS,
            unit="days",
        )
