"""Text for the terminal: colours and box lines where there is one, plain ASCII tables elsewhere.

What a run prints last: the verdict above and below, so that it is seen without scrolling. In a pipe or a log it keeps
to ASCII and a fixed width. Nothing in a name or a message can steer the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
_WORDS, _GAP = 24, 3
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
    """One run, as wide as the terminal; ASCII lines of 160 columns where standard output is not one."""
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
        for part in parts(_Page(plain, out.width)):
            out.print(part)
    lines = (line.rstrip() for line in captured.get().splitlines())
    return "\n".join(lines).encode(screen.encoding, "backslashreplace").decode(screen.encoding) + "\n"


class _Page:
    """The parts of a view as rich renderables, `width` characters wide; `plain` keeps to ASCII."""

    def __init__(self, plain: bool, width: int) -> None:
        self.plain, self.width = plain, width
        self.symbols = str.maketrans(_PLAIN if plain else {})

    def run(self, shown: View) -> Iterator[RenderableType]:
        heading = self.text(f"{shown.name}  ", "bold")
        yield heading.append_text(self.status(shown.status))
        if shown.alarm:
            yield self.text(shown.alarm, "bold red")
        yield self.text(shown.sentence, "")
        for table in (shown.objectives, shown.bought, *shown.searches, shown.ledger):
            yield from self.section(table)
        for remark in shown.remarks:
            yield self.text(f"- {remark}", "")
        for table in (shown.quality, shown.audits):
            yield from self.section(table)
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
        """What every page ends with; versions, digests and the resolved scenario are for the saved formats."""
        yield from self.findings(shown.findings)
        for table in shown.facts:
            if len(table.columns) > 2:
                yield from self.section(table)
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
        if not table.rows:
            return
        yield self.text(f"\n{table.title}", "bold")
        for places in self.fitting(table):
            yield self.grid(table, places)
        if table.note:
            yield self.text(table.note, "dim")

    def grid(self, table: Table, places: Sequence[int]) -> RenderableType:
        """These columns of a table."""
        from rich import box
        from rich.table import Table as Grid

        grid = Grid(box=box.Box(_SIMPLE, ascii=True) if self.plain else box.SIMPLE, padding=(0, 1), pad_edge=False)
        for place in places:
            justify: Literal["left", "right"] = "left" if table.is_text(place) else "right"
            heading, least = self.text(table.columns[place], ""), self.least(table, place)
            grid.add_column(heading, justify=justify, overflow="fold", min_width=least)
        for row in table.rows:
            grid.add_row(*(self.cell(row[place]) for place in places))
        return grid

    def fitting(self, table: Table) -> Iterator[list[int]]:
        """The columns, in as many parts as the screen is too narrow for, the first column in each."""
        first, *others = range(len(table.columns))
        part, used = [first], _GAP + self.least(table, first)
        for place in others:
            wide = _GAP + self.least(table, place)
            if len(part) > 1 and used + wide > self.width:
                yield part
                part, used = [first], _GAP + self.least(table, first)
            part.append(place)
            used += wide
        yield part

    def least(self, table: Table, place: int) -> int:
        """How wide a column must be: figures whole, words in lines of several."""
        longest = max(len(self.cell(row[place])) for row in table.rows)
        heading = max(map(len, table.columns[place].split()), default=0)
        return max(heading, min(longest, _WORDS) if table.is_text(place) else longest)

    def cell(self, cell: Cell) -> Text:
        return self.status(cell) if isinstance(cell, VerdictStatus) else self.text(cell, "")

    def status(self, status: VerdictStatus) -> Text:
        return self.text(f"{MARKS[status]} {status}", _STYLES[status])

    def text(self, content: str, style: str) -> Text:
        """Styled text without anything that could steer the terminal."""
        from rich.text import Text

        return Text(printable(content).translate(self.symbols), style)
