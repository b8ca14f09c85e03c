"""Text for the terminal: colours and box lines where there is one, plain ASCII tables elsewhere.

What a run prints last: the verdict above and below, so that it is seen without scrolling. In a pipe or a log it keeps
to ASCII and a fixed width. Nothing in a name or a message can steer the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from typing import TYPE_CHECKING, Any, Literal, cast

from harness.history.series import History
from harness.printable import printable
from harness.records import Calibration, Finding, Report, VerdictStatus
from harness.report import _calibration, _history, _suite
from harness.report._findings import EXPLAIN, said
from harness.report._study import StudyView, study_view
from harness.report._table import MARKS, Cell, Table
from harness.report._view import View, view, weight
from harness.samples import Samples
from harness.studies import Study

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

SUFFIX = ""
_STYLES = {
    VerdictStatus.PASS: "bold green",
    VerdictStatus.FAIL: "bold red",
    VerdictStatus.INCONCLUSIVE: "bold yellow",
    VerdictStatus.INVALID: "bold magenta",
}
_PLAIN_WIDTH = 160
_PLAIN = {
    "–": "-",
    "−": "-",
    "×": "x",
    "µ": "u",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "↳": " ",
    "∞": "inf",
    "✓": "+",
    "✗": "x",
    **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
}
_SIMPLE = "    \n    \n -- \n    \n    \n    \n    \n    \n"


def render(report: Report, samples: Samples | None) -> str:
    """One run, as wide as the terminal; ASCII lines of 132 columns where standard output is not one."""
    return _drawn(lambda page: page.run(view(report)))


def render_suite(reports: list[Report]) -> str:
    """Several runs as one table, their fronts, what is null, and a summary line."""

    def parts(page: _Page) -> Iterator[RenderableType]:
        shown = _suite.view(reports)
        for table in (shown.scenarios, shown.quality, *shown.fronts):
            yield from page.section(table)
        for remark in shown.remarks:
            yield page.text(f"- {remark}", "")
        yield page.text(shown.summary, "bold")

    return _drawn(parts)


def render_calibration(calibration: Calibration) -> str:
    """The noise floor, how it was found, and what disturbed it."""

    def parts(page: _Page) -> Iterator[RenderableType]:
        yield from page.section(_calibration.rates(calibration))
        yield from page.section(_calibration.table(calibration))
        yield from page.findings(said(finding) for finding in calibration.findings)

    return _drawn(parts)


def render_history(history: History) -> str:
    """A line for each series, what became worse, and its sentence last."""

    def parts(page: _Page) -> Iterator[RenderableType]:
        for table in (_history.trends(history), _history.parted(history), _history.judged(history)):
            yield from page.section(table)
        yield page.text(f"\n{_history.sentence(history)}", "bold")

    return _drawn(parts)


def render_study(study: Study) -> str:
    """A capacity search, a comparison or a bench, its sentence last, where the eye is."""
    return _drawn(lambda page: page.study(study_view(study)))


def _drawn(parts: Callable[[_Page], Iterator[RenderableType]]) -> str:
    from rich.console import Console

    screen = Console()
    plain = not screen.is_terminal or not screen.encoding.startswith("utf")
    out = Console(
        file=StringIO(),
        force_terminal=screen.is_terminal,
        color_system=cast(Any, screen.color_system),
        width=screen.width if screen.is_terminal else _PLAIN_WIDTH,
        legacy_windows=False,
    )
    with out.capture() as captured:
        for part in parts(_Page(plain)):
            out.print(part)
    lines = (line.rstrip() for line in captured.get().splitlines())
    return "\n".join(lines).encode(screen.encoding, "backslashreplace").decode(screen.encoding) + "\n"


class _Page:
    """The parts of a view as rich renderables; `plain` keeps to ASCII."""

    def __init__(self, plain: bool) -> None:
        self.plain = plain
        self.symbols = str.maketrans(_PLAIN if plain else {})

    def run(self, shown: View) -> Iterator[RenderableType]:
        heading = self.text(f"{shown.name}  ", "bold")
        yield heading.append_text(self.status(shown.status))
        if shown.alarm:
            yield self.text(shown.alarm, "bold red")
        yield self.text(shown.sentence, "")
        for table in (
            shown.objectives,
            shown.bought,
            *shown.searches,
            shown.ledger,
            shown.quality,
            shown.audits,
        ):
            yield from self.section(table)
        for remark in shown.remarks:
            yield self.text(f"- {remark}", "")
        yield from self.rest(shown)
        yield self.text("\n", "").append_text(heading)

    def study(self, shown: StudyView) -> Iterator[RenderableType]:
        yield self.text(f"{shown.kicker}: {shown.name}", "bold")
        if shown.alarm:
            yield self.text(shown.alarm, "bold red")
        for table in shown.tables:
            yield from self.section(table)
        yield from self.rest(shown)
        yield self.text(f"\n{shown.sentence}", "bold")

    def rest(self, shown: View | StudyView) -> Iterator[RenderableType]:
        """What every page ends with."""
        yield from self.findings(shown.findings)
        for table in shown.facts:
            yield from self.section(table) if len(table.columns) > 2 else self.packed(table)
        if shown.scenario_packed:
            yield self.text("\nResolved scenario", "bold")
            yield self.text(shown.scenario_packed.rstrip(), "dim")
        if shown.command:
            yield self.text("\nRepeat this run with", "bold")
            yield self.text(shown.command, "")

    def findings(self, found: Iterable[Finding]) -> Iterator[RenderableType]:
        from rich.padding import Padding

        for place, finding in enumerate(found):
            if not place:
                heading = self.text("\nFindings", "bold")
                yield heading.append_text(self.text(f" ({EXPLAIN} says more)", "dim"))
            does = weight(finding)
            says = f"- {finding.name}{f' ({does})' if does else ''}: {finding.message}"
            yield self.text(says, "bold" if does else "")
            yield Padding(self.text(f"→ {finding.remedy}", ""), (0, 0, 0, 2))

    def section(self, table: Table) -> Iterator[RenderableType]:
        from rich import box
        from rich.table import Table as Grid

        if not table.rows:
            return
        yield self.text(f"\n{table.title}", "bold")
        grid = Grid(box=box.Box(_SIMPLE, ascii=True) if self.plain else box.SIMPLE, padding=(0, 1), pad_edge=False)
        for place, column in enumerate(table.columns):
            words = table.is_text(place)
            least = None if words else max(len(row[place]) for row in table.rows)
            justify: Literal["left", "right"] = "left" if words else "right"
            grid.add_column(self.text(column, ""), justify=justify, overflow="fold", min_width=least)
        for row in table.rows:
            grid.add_row(*(self.cell(cell) for cell in row))
        yield grid
        if table.note:
            yield self.text(table.note, "dim")

    def packed(self, table: Table) -> Iterator[RenderableType]:
        """A table of pairs as running text."""
        yield self.text(f"\n{table.title}", "bold")
        yield self.text("; ".join(" ".join(row) for row in table.rows), "dim")

    def cell(self, cell: Cell) -> Text:
        return self.status(cell) if isinstance(cell, VerdictStatus) else self.text(cell, "")

    def status(self, status: VerdictStatus) -> Text:
        return self.text(f"{MARKS[status]} {status}", _STYLES[status])

    def text(self, content: str, style: str) -> Text:
        """Styled text without anything that could steer the terminal."""
        from rich.text import Text

        return Text(printable(content).translate(self.symbols), style)
