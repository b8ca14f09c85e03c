"""The ledger: what each step of the recipe did, and whether the cheap control at equal size does as well."""

from __future__ import annotations

from typing import Any

from harness.records import LedgerRow, NdcgSpec
from harness.report import _numbers as numbers
from harness.report._table import Table


def step_name(row: LedgerRow) -> str:
    """A step with its settings: `truncate (keep 40)`."""
    settings = ", ".join(f"{key} {_setting(value)}" for key, value in row.params.items())
    return f"{row.step} ({settings})" if settings else row.step


def table(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> Table:
    """One row per step, its control below it."""
    rows = []
    for place, row in enumerate(ledger):
        rows.append(_cells(step_name(row) if place else f"teacher: {step_name(row)}", row))
        if row.control is not None:
            rows.append(_cells(f"↳ control: {step_name(row.control)}", row.control))
    quality = (f"NDCG@{ndcg.k}", "lost", "at most")
    columns = ("step", *quality, "size", "trees", "nodes", "bits/node", "engine", "p50", "p99")
    note = f"{ndcg}; lost against the teacher, at most with 95 % confidence (paired over query groups)." if rows else ""
    return Table("Ledger", columns, tuple(rows), wide=(8,), note=note)


def remarks(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> tuple[str, ...]:
    """What the controls say, and the notes that steps left."""
    lines = []
    for row in ledger:
        lines += [f"{row.step}: {note}" for note in row.notes]
        if row.control is not None:
            lines.append(_compared(row, row.control, ndcg))
    return tuple(lines)


def _compared(row: LedgerRow, control: LedgerRow, ndcg: NdcgSpec) -> str:
    lost, other = numbers.quality(row.quality.drop), numbers.quality(control.quality.drop)
    if control.quality.drop <= row.quality.drop:
        finding = "does as well, and is simpler"
    elif control.quality.drop <= row.quality.drop_upper:
        finding = f"does as well, within the 95 % bound of {numbers.quality(row.quality.drop_upper)}"
    else:
        finding = f"does worse, so {row.step} earns its place"
    return (
        f"{row.step}: {step_name(control)} to the same size ({numbers.size(control.size.disk_bytes)} against "
        f"{numbers.size(row.size.disk_bytes)}) costs {other} NDCG@{ndcg.k} against {lost}; the cheap control {finding}."
    )


def _cells(name: str, row: LedgerRow) -> tuple[str, ...]:
    size = row.size
    return (
        name,
        numbers.quality(row.quality.ndcg),
        numbers.quality(row.quality.drop),
        numbers.quality(row.quality.drop_upper),
        numbers.size(size.disk_bytes),
        numbers.count(size.n_trees),
        numbers.count(size.n_nodes) if size.n_nodes else f"{numbers.count(size.n_parameters)} parameters",
        numbers.figure(size.packed_bits_per_node),
        row.engine or numbers.NOTHING,
        numbers.us(row.engine_us),
        numbers.us(row.engine_us_p99),
    )


def _setting(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
