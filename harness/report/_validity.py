"""Whether the measurement can be trusted, and what the harness itself adds to it: a line each, beside the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import Report
from harness.report import _calibration


@dataclass(frozen=True)
class Trust:
    """One line: what it is about, whether all is well, and what is known."""

    about: str
    good: bool
    said: str


def trust(report: Report) -> tuple[Trust, ...]:
    """Validity and calibration, for the first screen of a report."""
    return (_validity(report), _calibrated(report))


def _validity(report: Report) -> Trust:
    findings = (*report.verdict.findings, *report.measurements.findings)
    hard = ", ".join(dict.fromkeys(finding.name for finding in findings if finding.hard))
    if hard:
        return Trust("Measurement", False, f"not to be trusted: {hard}.")
    if not report.measures:
        return Trust("Measurement", False, "none of the ranker under load.")
    known = ", ".join(dict.fromkeys(finding.name for finding in findings))
    return Trust("Measurement", True, f"valid{f'; to be known: {known}' if known else ', and nothing to remark'}.")


def _calibrated(report: Report) -> Trust:
    calibration = report.measurements.calibration
    if calibration is None:
        return Trust("Calibration", False, "none of this machine; `harness calibrate` measures what the harness adds.")
    said = (
        _calibration.beside_the_sla(report) or f"measured {calibration.created}; no latency objective to compare with."
    )
    return Trust("Calibration", True, said)
