"""The audit of the answers as a table: how many were wrong, by how much they differ, and how well they ranked."""

from __future__ import annotations

import math

from harness.records import Audit, NdcgSpec
from harness.report import _numbers as numbers
from harness.report._table import Table


def table(audits: tuple[Audit, ...], ndcg: NdcgSpec) -> Table:
    """One row per target."""
    quality = f"NDCG@{ndcg.k}"
    columns = (
        "target", "answers", "checked", "distinct", "wrong", "largest difference", "tolerance",
        f"{quality} served", f"{quality} offline",
    )  # fmt: skip
    return Table("Answers", columns, tuple(_row(audit) for audit in audits), note=_note(audits, ndcg))


def _row(audit: Audit) -> tuple[str, ...]:
    return (
        audit.target,
        f"{audit.n_answers:,}",
        f"{audit.n_checked:,}",
        f"{audit.n_distinct:,}",
        f"{audit.n_wrong:,}",
        _small(audit.largest_difference),
        _small(math.nan if audit.tolerance is None else audit.tolerance),
        numbers.quality(audit.ndcg_served),
        numbers.quality(audit.ndcg_offline),
    )


def _small(value: float) -> str:
    """A share of the largest score, whose size is what matters."""
    return numbers.NOTHING if math.isnan(value) else f"{value:.1e}" if value else "0"


def _note(audits: tuple[Audit, ...], ndcg: NdcgSpec) -> str:
    if not audits:
        return ""
    alone = [audit.target for audit in audits if not audit.compared_with]
    unknown = f" Nothing to compare with: {', '.join(alone)}." if alone else ""
    return (
        "Read from the very responses of the run: length, finite scores, every candidate once; differences from the "
        f"offline scores of the same candidates, as a share of the largest. {ndcg}, of the lists served.{unknown}"
    )
