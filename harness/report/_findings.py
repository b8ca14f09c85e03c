"""Findings as people read them."""

from __future__ import annotations

import math

from harness.records import Finding
from harness.report import _numbers as numbers

EXPLAIN = "harness explain NAME"
"""The command that says more of a finding; formats show it once, beside the findings."""


def said(finding: Finding) -> Finding:
    """The finding with its figure and threshold at the end of its message."""
    if math.isnan(finding.figure):
        return finding
    figure, threshold = (_shown(value, finding.unit) for value in (finding.figure, finding.threshold))
    return finding.model_copy(update={"message": f"{finding.message} ({figure}, threshold {threshold})"})


def _shown(value: float, unit: str) -> str:
    return numbers.share(value) if unit == "share" else numbers.figure(value, unit)
