"""Markdown, fit for a pull-request comment: verdict and tables first, the long facts folded away.

GitHub-flavoured, without pictures, readable as plain text too. What comes from files (names, messages) is escaped, so
that a report can be posted by a robot. Saved as `summary.md` beside every run.
"""

from __future__ import annotations

import re
from html import escape

from harness.printable import printable
from harness.records import Finding, Report, VerdictStatus
from harness.report import _suite
from harness.report._findings import EXPLAIN
from harness.report._study import StudyView, study_view
from harness.report._table import MARKS, Cell, Table
from harness.report._view import View, view, weight
from harness.samples import Samples
from harness.studies import Study

SUFFIX = "summary.md"


def render(report: Report, samples: Samples | None) -> str:
    """One run as GitHub-flavoured Markdown."""
    shown = view(report)
    blocks = [
        f"## {_status(shown.status)}: {_text(shown.name)}",
        f"> **{_text(shown.alarm)}**" if shown.alarm else "",
        f"**{_text(shown.sentence)}**",
        _text(shown.description),
        *(_section(table) for table in (shown.objectives, shown.bought)),
        *(_section(search) for search in shown.searches),
        _section(shown.ledger),
        "\n".join(f"- {_text(remark)}" for remark in shown.remarks),
        *(_section(table) for table in (shown.quality, shown.audits)),
        *_rest(shown),
    ]
    return _joined(blocks)


def render_suite(reports: list[Report]) -> str:
    """Several runs as one table, their fronts and what is null below it."""
    shown = _suite.view(reports)
    blocks = [
        f"## {shown.summary}",
        _section(shown.scenarios, level=0),
        *(_section(table) for table in (shown.quality, *shown.fronts)),
        "\n".join(f"- {_text(remark)}" for remark in shown.remarks),
    ]
    return _joined(blocks)


def render_study(study: Study) -> str:
    """A capacity search or a comparison, its tables first."""
    shown = study_view(study)
    blocks = [
        f"## {shown.kicker}: {_text(shown.name)}",
        f"> **{_text(shown.alarm)}**" if shown.alarm else "",
        f"**{_text(shown.sentence)}**",
        *(_section(table) for table in shown.tables),
        *_rest(shown),
    ]
    return _joined(blocks)


def _rest(shown: View | StudyView) -> list[str]:
    """What every page ends with."""
    return [
        f"### Findings (`{EXPLAIN}` says more)" if shown.findings else "",
        "\n".join(_finding(finding) for finding in shown.findings),
        _folded("Environment, data, seeds and digests, stage times", "\n\n".join(_section(t) for t in shown.facts)),
        _folded("Resolved scenario", _code(shown.scenario, "yaml")),
        _repeat(shown),
    ]


def _joined(blocks: list[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


def _status(status: VerdictStatus) -> str:
    return f"{MARKS[status]} {status}"


def _finding(finding: Finding) -> str:
    does = f" ({weight(finding)})" if weight(finding) else ""
    return f"- **{_text(finding.name)}**{does}: {_text(finding.message)} → {_text(finding.remedy)}"


def _section(table: Table, level: int = 3) -> str:
    if not table.rows:
        return ""
    rule = "|".join("---" if table.is_text(column) else "--:" for column in range(len(table.columns)))
    lines = [_line(table.columns), f"|{rule}|", *(_line(row) for row in table.rows)]
    heading = f"{'#' * level} {table.title}\n\n" if level else ""
    return heading + "\n".join(lines) + (f"\n\n{_text(table.note)}" if table.note else "")


def _line(cells: tuple[Cell, ...]) -> str:
    shown = (f"**{_status(cell)}**" if isinstance(cell, VerdictStatus) else _text(cell) for cell in cells)
    return f"| {' | '.join(shown)} |"


def _text(text: str) -> str:
    """Text on one line that Markdown and HTML leave as it is."""
    return re.sub(r"([\\`*\[\]|~#]|\b_|_\b)", r"\\\1", escape(printable(" ".join(text.split())), quote=False))


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""


def _repeat(shown: View | StudyView) -> str:
    return f"Repeat this run with\n\n{_code(shown.command, 'sh')}" if shown.command else ""


def _code(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{printable(text.rstrip())}\n{fence}"
