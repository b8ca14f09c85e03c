"""The ledger: what each step of the recipe did, and whether the cheap control at equal size does as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.records import LedgerRow, NdcgSpec
from harness.report import _numbers as numbers
from harness.report._bought import packed_bytes
from harness.report._table import Table


def step_name(row: LedgerRow) -> str:
    """A step with its settings: `truncate (keep 40)`."""
    settings = ", ".join(f"{key} {_setting(value)}" for key, value in row.params.items())
    return f"{row.step} ({settings})" if settings else row.step


def named_rows(ledger: tuple[LedgerRow, ...]) -> Iterator[tuple[str, LedgerRow]]:
    """Every row with its name in a table, each control below its step."""
    for place, row in enumerate(ledger):
        yield step_name(row) if place else f"teacher: {step_name(row)}", row
        if row.control is not None:
            yield f"↳ control: {step_name(row.control)}", row.control


def table(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> Table:
    """Size, time and memory after each step, beside the quality it has left."""
    rows = tuple(_cells(name, row) for name, row in named_rows(ledger))
    sizes = ("size", "packed", "memory", "trees", "nodes")
    columns = ("step", f"NDCG@{ndcg.k}", "lost", *sizes, "engine", "p50", "p99", "built in")
    note = (
        "Packed: the trees in the fewest bits. Memory: what opening it in that engine and scoring add to a process, "
        "libraries included. p50, p99: engine time of one candidate list, interleaved."
    )
    return Table("Ledger", columns, rows, wide=(8,), note=note if rows else "")


def remarks(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> tuple[str, ...]:
    """What the controls say, and the notes that steps left."""
    lines = [] if not ledger or ledger[0].quality.measured else ["Quality not measured: the scenario has no data."]
    for row in ledger:
        lines += [f"{row.step}: {note}" for note in row.notes]
        if row.control is not None:
            lines.append(_compared(row, row.control, ndcg))
    return tuple(lines)


def nulls(ledger: tuple[LedgerRow, ...]) -> Iterator[str]:
    """The steps whose control does as well or better, in a few words each."""
    for row in ledger:
        if row.control is not None and row.control_does in ("as well", "better"):
            yield f"{step_name(row.control)} does {_plainly(row)} {step_name(row)}"


def _compared(row: LedgerRow, control: LedgerRow, ndcg: NdcgSpec) -> str:
    lost, other = numbers.quality(row.quality.drop), numbers.quality(control.quality.drop)
    return (
        f"{row.step}: {step_name(control)} to the same size ({numbers.size(control.size.disk_bytes)} against "
        f"{numbers.size(row.size.disk_bytes)}) costs {other} NDCG@{ndcg.k} against {lost}; the cheap control "
        f"{_finding(row)}."
    )


def _finding(row: LedgerRow) -> str:
    paired = row.against_control
    if paired is None:
        unknown = "was not compared with it query group by query group"
        return "does as well, and is simpler" if row.control_does == "as well" else unknown
    bounds = f"{numbers.quality(paired.drop_lower)} to {numbers.quality(paired.drop_upper)}"
    figures = f"{numbers.quality(paired.drop)} between them, {bounds} with 95 % confidence at each end"
    match row.control_does:
        case "worse":
            return f"does worse ({figures}), so {row.step} earns its place"
        case "better":
            return f"does better ({figures}), and is simpler"
    return f"does as well, as far as {paired.n_groups:,} query groups can tell ({figures}), and is simpler"


def _plainly(row: LedgerRow) -> str:
    return "better than" if row.control_does == "better" else "as well as"


def _cells(name: str, row: LedgerRow) -> tuple[str, ...]:
    size = row.size
    return (
        name,
        numbers.quality(row.quality.ndcg),
        numbers.quality(row.quality.drop),
        numbers.size(size.disk_bytes),
        numbers.size(packed_bytes(size)),
        numbers.size(row.memory_bytes),
        numbers.count(size.n_trees),
        numbers.count(size.n_nodes) if size.n_nodes else f"{numbers.count(size.n_parameters)} parameters",
        row.engine or numbers.NOTHING,
        numbers.us(row.engine_us),
        numbers.us(row.engine_us_p99),
        numbers.figure(row.build_s, "s") + (" (cached)" if row.cached else ""),
    )


def _setting(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
