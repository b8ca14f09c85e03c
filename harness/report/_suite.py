"""Several runs as one comparison: a row per scenario, their quality tested together, their fronts, what is null."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.records import NdcgSpec, ObjectiveResult, Report, VerdictStatus
from harness.report import _front, _ledger, _quality
from harness.report import _numbers as numbers
from harness.report import _objectives as objectives
from harness.report._sentence import headline
from harness.report._table import Cell, Table
from harness.report._target import TEACHER, judged, target
from harness.suite import Front, Suite, suite_of

_NO_OBJECTIVE: tuple[tuple[Cell, float], ...] = ((numbers.NOTHING, math.nan),) * 3
COLUMNS = (
    "scenario", "verdict", "p50", "tail", "limit", "headroom", "engine p50", "size", "smaller",
    "NDCG lost", "at most", "p99 vs teacher",
)  # fmt: skip


@dataclass(frozen=True)
class SuiteView:
    """A suite in words and tables; `charted` are its fronts, each with the table of the same place in `fronts`."""

    summary: str
    scenarios: Table
    quality: Table
    fronts: tuple[Table, ...]
    charted: tuple[Front, ...]
    remarks: tuple[str, ...]


def view(reports: Sequence[Report]) -> SuiteView:
    """The view of finished runs."""
    suite = suite_of(reports)
    return SuiteView(
        summary=summary(reports),
        scenarios=table(reports),
        quality=_tested(suite),
        fronts=tuple(_front.table(front) for front in suite.fronts),
        charted=suite.fronts,
        remarks=tuple(dict.fromkeys(_remarks(suite))),
    )


def summary(reports: Sequence[Report]) -> str:
    """How many scenarios ended how: `3 scenarios: 2 PASS, 1 FAIL`."""
    counts = Counter(report.verdict.status for report in reports)
    ends = ", ".join(f"{counts[status]} {status}" for status in VerdictStatus if counts[status])
    return f"{len(reports)} scenario{'' if len(reports) == 1 else 's'}{': ' if ends else ''}{ends}"


def table(reports: Sequence[Report]) -> Table:
    """The comparison. A column of a quantity that a run lacks shows `–`."""
    note = "NDCG lost against the uncompressed teacher of the same run, at most with 95 % confidence."
    rows = [_row(report) for report in reports]
    cells = tuple(tuple(cell for cell, _ in row) for row in rows)
    keys = tuple(tuple(key for _, key in row) for row in rows)
    return Table("Scenarios", COLUMNS, cells, n_text=2, note=note, keys=keys)


def _tested(suite: Suite) -> Table:
    rows = tuple(
        (test.name, *_quality.cells(test.quality), _quality.p_value(test.randomisation_p), test.finding or "–")
        for test in suite.quality
    )
    columns = ("scenario", *_quality.COLUMNS, "p, Holm", "so it is")
    note = (
        f"{_quality.METHOD} The last two columns hold for all recipes of this page together (Holm): non-inferior says "
        "that a loss over the margin is excluded with 95 % confidence, however many recipes were tried."
    )
    return Table("Quality of all recipes, tested together", columns, rows, wide=(len(columns) - 1,), note=note)


def _remarks(suite: Suite) -> Iterator[str]:
    for report in suite.reports:
        yield from (f"{report.name}: {null}." for null in _ledger.nulls(report.measurements.ledger))
    for one in suite.left_out:
        yield f"{one.name} is on no front: {one.why}."


def _row(report: Report) -> tuple[tuple[Cell, float], ...]:
    """Each cell with the number behind it."""
    before, after = target(report, TEACHER), judged(report)
    main = headline(report)
    quality = after.row.quality if after and after.row else None
    disk_bytes = (before.disk_bytes if before else math.nan, after.disk_bytes if after else math.nan)
    p99_ms = [side.latency_ms("p99_ms") if side else math.nan for side in (before, after)]
    return (
        (report.name, math.nan),
        (report.verdict.status, math.nan),
        _figure(after.latency_ms("p50_ms") if after else math.nan, numbers.ms),
        *(_NO_OBJECTIVE if main is None else _objective(main, report.measurements.ndcg)),
        _figure(after.server("engine_us_p50") if after else math.nan, numbers.us),
        _figure(disk_bytes[1], numbers.size),
        _ratio(*disk_bytes, "", "larger"),
        _figure(quality.drop if quality else math.nan, numbers.quality),
        _figure(quality.drop_upper if quality else math.nan, numbers.quality),
        _ratio(p99_ms[0], p99_ms[1], "lower", "higher"),
    )


def _objective(main: ObjectiveResult, ndcg: NdcgSpec) -> tuple[tuple[Cell, float], ...]:
    shown = numbers.objective(main.name, main.measured, main.unit)
    return (
        (f"{objectives.name(main.name, ndcg)} {shown}", main.measured),
        (numbers.limit(main.name, main.limit, main.unit), main.limit),
        (objectives.headroom(main), main.headroom),
    )


def _figure(value: float, shown: numbers.Shown) -> tuple[Cell, float]:
    return (numbers.NOTHING if math.isnan(value) else shown(value)), value


def _ratio(before: float, after: float, better: str, worse: str) -> tuple[Cell, float]:
    text = numbers.ratio(before, after, better, worse).strip().replace(numbers.SAME, "1.0×")
    return text or numbers.NOTHING, before / after if text else math.nan
