"""Several runs as one comparison: a row per scenario, their quality tested together, their fronts, what is null."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.records import Report, VerdictStatus
from harness.report import _front, _ledger, _quality
from harness.report import _numbers as numbers
from harness.report import _objectives as objectives
from harness.report._sentence import headline
from harness.report._table import Cell, Table
from harness.report._target import TEACHER, judged, target
from harness.suite import Suite, suite_of

COLUMNS = (
    "scenario", "verdict", "p50", "tail", "limit", "headroom", "engine p50", "size", "smaller",
    "NDCG lost", "at most", "p99 vs teacher",
)  # fmt: skip


@dataclass(frozen=True)
class SuiteView:
    """A suite in words and tables."""

    summary: str
    scenarios: Table
    quality: Table
    fronts: tuple[Table, ...]
    remarks: tuple[str, ...]


def view(reports: Sequence[Report]) -> SuiteView:
    """The view of finished runs."""
    suite = suite_of(reports)
    return SuiteView(
        summary=summary(reports),
        scenarios=table(reports),
        quality=_tested(suite),
        fronts=tuple(_front.table(front) for front in suite.fronts),
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
    return Table("Scenarios", COLUMNS, tuple(_row(report) for report in reports), n_text=2, note=note)


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


def _row(report: Report) -> tuple[Cell, ...]:
    nothing = numbers.NOTHING
    before, after = target(report, TEACHER), judged(report)
    main = headline(report)
    if main is None:
        latency = (nothing, nothing, nothing)
    else:
        shown = numbers.objective(main.name, main.measured, main.unit)
        latency = (
            f"{objectives.name(main.name, report.measurements.ndcg)} {shown}",
            numbers.limit(main.name, main.limit, main.unit),
            objectives.headroom(main),
        )
    quality = after.row.quality if after and after.row else None
    return (
        report.name,
        report.verdict.status,
        numbers.ms(after.latency_ms("p50_ms")) if after else nothing,
        *latency,
        numbers.us(after.server("engine_us_p50")) if after else nothing,
        numbers.size(after.disk_bytes) if after else nothing,
        _or_nothing(numbers.ratio(before.disk_bytes, after.disk_bytes, "", "larger") if before and after else ""),
        numbers.quality(quality.drop) if quality else nothing,
        numbers.quality(quality.drop_upper) if quality else nothing,
        _or_nothing(
            numbers.ratio(before.latency_ms("p99_ms"), after.latency_ms("p99_ms"), "lower", "higher")
            if before and after
            else ""
        ),
    )


def _or_nothing(text: str) -> str:
    return text.strip().replace("about the same", "1.0x") or numbers.NOTHING
