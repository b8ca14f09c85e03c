"""The quality tests of all recipes of a suite, adjusted for having been made together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.paired import holm
from harness.records import NdcgSpec, QualityDrop, Record, Report

LEVEL = 0.05


class QualityTest(Record):
    """One recipe against its teacher, and what of it holds beside all others of the suite.

    randomisation_p, margin_p: adjusted by Holm's method over the distinct recipes of the suite; `quality` has them
    as they are alone.
    """

    name: str
    ndcg: NdcgSpec
    quality: QualityDrop
    randomisation_p: float
    margin_p: float

    @property
    def finding(self) -> str:
        """`non-inferior`, `inferior` or `undecided` at its margin, Holm's way at 95 %; empty without a margin.

        Inferior is what the recipe's own lower bound says.
        """
        if math.isnan(self.quality.margin) or math.isnan(self.margin_p):
            return ""
        if self.margin_p <= LEVEL:
            return "non-inferior"
        return "inferior" if self.quality.at(self.quality.margin) == "inferior" else "undecided"


def quality_tests(reports: Sequence[Report]) -> tuple[QualityTest, ...]:
    """A test for each run that has compressed something. Runs of one recipe, such as on two engines, are one test."""
    runs = [report for report in reports if _compressed(report)]
    drops = {_recipe(report): report.measurements.ledger[-1].quality for report in runs}
    differs = dict(zip(drops, holm([drop.randomisation_p for drop in drops.values()]), strict=True))
    exceeds = dict(zip(drops, holm([drop.margin_p for drop in drops.values()]), strict=True))
    return tuple(
        QualityTest(
            name=report.name,
            ndcg=report.measurements.ndcg,
            quality=report.measurements.ledger[-1].quality,
            randomisation_p=differs[_recipe(report)],
            margin_p=exceeds[_recipe(report)],
        )
        for report in runs
    )


def measures_quality(report: Report) -> bool:
    """Whether the run got as far as a ledger, and had grades to measure quality by."""
    ledger = report.measurements.ledger
    return bool(ledger) and ledger[-1].quality.measured


def _compressed(report: Report) -> bool:
    ledger = report.measurements.ledger
    return measures_quality(report) and ledger[-1].digest != ledger[0].digest


def _recipe(report: Report) -> tuple[object, ...]:
    """What makes two runs ask the same about quality; a lossy engine has figures of its own."""
    run = report.measurements
    last = run.ledger[-1]
    quality = last.quality
    known = run.data.get("digest"), str(run.ndcg), run.ledger[0].digest, last.digest, quality.drop
    return (*known, "" if math.isnan(quality.margin) else quality.margin)
