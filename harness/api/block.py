"""The block that a notebook shows of a result: HTML in the notebook's own colours, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from harness.printable import printable
from harness.records import Report, VerdictStatus
from harness.report._table import MARKS, Table
from harness.report._view import view

_OBJECTIVE_COLUMNS = 6
"""The last column, the reason, is left to the page."""


def of_run(report: Report) -> str:
    """Verdict, one sentence, objectives, and what compression bought."""
    shown = view(report)
    objectives = Table("", shown.objectives.columns[:_OBJECTIVE_COLUMNS], shown.objectives.rows, n_text=2)
    bought = Table("", shown.bought.columns, shown.highlights, wide=(3,))
    parts = [_verdict(report), _text(shown.alarm), _text(shown.sentence), _table(objectives), _table(bought)]
    return _block(parts)


def of_suite(reports: Sequence[Report], failures: Mapping[str, str]) -> str:
    """Each run's verdict in one sentence, then what failed."""
    rows = tuple((report.name, report.verdict.status, view(report).sentence) for report in reports)
    failed = tuple((name, "failed", error) for name, error in failures.items())
    return _block([_table(Table("", ("scenario", "verdict", ""), (*rows, *failed), n_text=3))])


def _block(parts: Iterable[Markup]) -> str:
    return Markup('<div style="max-width: 60em">{}</div>').format(Markup().join(parts))


def _verdict(report: Report) -> Markup:
    return Markup("<p><strong>{}: {}</strong></p>").format(_cell(report.name), _cell(report.verdict.status))


def _text(text: str) -> Markup:
    return Markup("<p>{}</p>").format(printable(text)) if text else Markup()


def _table(table: Table) -> Markup:
    if not table.rows:
        return Markup()
    head = [_place("th", name, table.is_text(place)) for place, name in enumerate(table.columns)]
    rows = [
        [_place("td", cell, table.is_text(place)) for place, cell in enumerate(row[: len(table.columns)])]
        for row in table.rows
    ]
    lines = Markup().join(Markup("<tr>{}</tr>").format(Markup().join(cells)) for cells in (head, *rows))
    return Markup("<table>{}</table>").format(lines)


def _place(tag: str, cell: str | VerdictStatus, is_text: bool) -> Markup:
    side = "left" if is_text else "right"
    return Markup('<{0} style="text-align: {1}">{2}</{0}>').format(tag, side, _cell(cell))


def _cell(cell: str | VerdictStatus) -> str:
    return f"{MARKS[cell]} {cell.value}" if isinstance(cell, VerdictStatus) else printable(cell)
