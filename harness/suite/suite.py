"""The record of a suite: its reports, and what they amount to together."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records import Report, Versioned
from harness.suite.front import Front, LeftOut, fronts
from harness.suite.quality import QualityTest, quality_tests


class Suite(Versioned):
    """Several reports, their quality tested together, and their Pareto fronts."""

    reports: tuple[Report, ...]
    quality: tuple[QualityTest, ...] = ()
    fronts: tuple[Front, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def suite_of(reports: Sequence[Report]) -> Suite:
    """The suite of finished runs; measures nothing."""
    found, left_out = fronts(reports)
    return Suite(reports=tuple(reports), quality=quality_tests(reports), fronts=found, left_out=left_out)
