"""Quality in full: each form of the ranker against the teacher, query group by query group."""

from __future__ import annotations

import math

from harness.records import LedgerRow, NdcgSpec, QualityDrop
from harness.report import _numbers as numbers
from harness.report._ledger import named_rows
from harness.report._table import Table

COLUMNS = ("lost", "at least", "at most", "p, no difference", "groups losing > 0.1", "worst tenth", "margin")
METHOD = (
    "At least, at most: one-sided 95 % bootstrap bounds of the mean loss over query groups. p: Fisher's randomisation "
    "test. Worst tenth: the mean loss of the tenth of the query groups that lose most."
)


def table(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> Table:
    """One row per step and control, and for an engine that costs quality itself; none where nothing was compressed."""
    if not ledger or not ledger[0].quality.measured:
        return Table("Quality, paired with the teacher", (), ())
    same = len(ledger) > 1 and (ledger[-1].digest, ledger[-1].quality) == (ledger[-2].digest, ledger[-2].quality)
    rows = tuple(
        (name, *cells(row.quality), alone(row.quality), f"{row.quality.n_groups:,}")
        for name, row in list(named_rows(ledger[:-1] if same else ledger))[1:]
    )
    columns = ("step", *COLUMNS, "so it is", "query groups")
    note = f"{ndcg}, gain 2^grade − 1, discount 1 / log2(rank + 1), teacher minus step. {METHOD}"
    return Table("Quality, paired with the teacher", columns, rows, wide=(len(COLUMNS) + 1,), note=note)


def cells(quality: QualityDrop) -> tuple[str, ...]:
    """The figures of `COLUMNS`."""
    return (
        numbers.quality(quality.drop),
        numbers.quality(quality.drop_lower),
        numbers.quality(quality.drop_upper),
        p_value(quality.randomisation_p),
        numbers.share(quality.share_losing),
        numbers.quality(quality.worst_tenth),
        numbers.NOTHING if math.isnan(quality.margin) else f"{quality.margin:g}",
    )


def p_value(p: float) -> str:
    """A p-value to four decimals; those of 10,000 samples end there."""
    return numbers.NOTHING if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def alone(quality: QualityDrop) -> str:
    """What the bounds of one recipe say at its margin; `–` without one."""
    return numbers.NOTHING if math.isnan(quality.margin) else quality.at(quality.margin)
