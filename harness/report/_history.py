"""The history of a folder of results in words and tables: a row for each series, and its runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.history.point import MEASURES, Figure, Point
from harness.history.series import Band, History, Series
from harness.records import VerdictStatus
from harness.report import _numbers as numbers
from harness.report._table import Cell, Table

_SHOWN = ("p99_ms", "capacity_qps", "ndcg_drop", "size_mb")
_BARS = "▁▂▃▄▅▆▇█"
_LEAST_RANGE = 1.25
_MOST_BARS = 24
_PLACES = {"within": "within", "above": "above it", "below": "below it"}


def sentence(history: History) -> str:
    """How much there is, and what became worse where that was asked."""
    n = sum(len(series.points) for series in history.series)
    text = f"{n} run{'' if n == 1 else 's'} in {len(history.series)} series"
    bad = [series.name for series in history.series if series.regressions]
    unsure = [series.name for series in history.series if series.undecided and not series.regressions]
    parts = [f"worse: {', '.join(bad)}" if bad else "", f"undecided: {', '.join(unsure)}" if unsure else ""]
    return "; ".join(filter(None, [text, *parts]))


def trends(history: History) -> Table:
    """A row for each series: how its figures went, the newest ones, and where they lie beside the noise band."""
    columns = ("scenario", "verdict", "runs", *(head for m in _SHOWN for head in (MEASURES[m].name, "its trend")))
    rows = tuple(
        (
            title(history, series),
            _status(series.points),
            f"{len(series.points)}",
            *(cell for measure in _SHOWN for cell in (_newest(series, measure), trend(series, measure))),
        )
        for series in history.series
    )
    wide = tuple(place for place in range(3, len(columns)) if place % 2 == 0)
    note = (
        "Newest figures, each with its trend from the oldest run and its place beside the noise band: where it would "
        "lie by chance with 95 % confidence, by what three or more runs before differ by, or by their own bounds. "
        "Latencies of INVALID runs count for neither."
    )
    return Table("Trends", columns, rows, n_text=2, wide=wide, note=note)


def judged(history: History) -> Table:
    """What became worse and what is undecided, by series; no rows where neither is."""
    rows = [
        (title(history, series), kind, text)
        for series in history.series
        for kind, texts in (("worse", series.regressions), ("undecided", series.undecided))
        for text in texts
    ]
    note = "Latencies by `harness compare --finished` against up to five runs before, all else by bounds that part."
    return Table("Newest runs against those before", ("scenario", "it is", "what"), tuple(rows), 2, (2,), note)


def parted(history: History) -> Table:
    """Why runs of one name are not one series."""
    rows = [(title(history, series), "; ".join(series.apart)) for series in history.series if series.apart]
    return Table(
        "Why runs of one name stand apart",
        ("series", "differs from the one most alike before it in"),
        tuple(rows),
        1,
        (1,),
    )


def runs(series: Series) -> Table:
    """Every run of a series, newest first, with its own bounds."""
    columns = ("run", "verdict", "when", *(about.name for about in MEASURES.values()))
    rows = tuple(
        (
            point.run, _status([point]), when(point.created),
            *(_with_bounds(measure, point.figure(measure)) for measure in MEASURES),
        )
        for point in reversed(series.points)
    )  # fmt: skip
    return Table("Runs", columns, rows, n_text=3)


def sparkline(values: Sequence[float], *, ratio: bool) -> str:
    """Values as bars; a range of less than a quarter (of ratios) is not blown up, an unknown one leaves a gap."""
    logs = [math.log(value) if ratio and value > 0 else math.nan if ratio else value for value in values]
    known = [value for value in logs if math.isfinite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = max(high - low, math.log(_LEAST_RANGE) if ratio else 1e-3)
    low = (low + high - span) / 2
    top = len(_BARS) - 1
    places = [min(max((value - low) / span * top, 0), top) for value in logs]
    return "".join(" " if math.isnan(place) else _BARS[round(place)] for place in places)


def trend(series: Series, measure: str) -> str:
    """The sparkline of a measure and where its newest figure lies; empty where there is but one."""
    figures = [figure.value for point in series.points if (figure := point.trusted(measure)).known][-_MOST_BARS:]
    if len(figures) < 2:
        return numbers.NOTHING
    band = series.bands.get(measure)
    bars = sparkline(figures, ratio=MEASURES[measure].ratio)
    return f"{bars} {_PLACES[band.newest]}" if band else bars


def shown(measure: str, value: float) -> str:
    """A figure in its measure's own manner."""
    match measure:
        case "p50_ms" | "p99_ms":
            return numbers.ms(value)
        case "capacity_qps":
            return numbers.figure(value, "/s")
        case "size_mb":
            return numbers.megabytes(value)
    return numbers.NOTHING if math.isnan(value) else numbers.quality(value)


def when(created: str) -> str:
    """A moment in UTC to the minute."""
    return created[:16].replace("T", " ")


def band_text(measure: str, band: Band) -> str:
    """A noise band in words."""
    basis = f"{band.n_before} runs before" if band.from_runs else "the runs' own bounds"
    return (
        f"{shown(measure, band.low)} to {shown(measure, band.high)} by {basis}; the newest lies {_PLACES[band.newest]}"
    )


def title(history: History, series: Series) -> str:
    """The name, numbered where several series have it."""
    same = [one for one in history.series if one.name == series.name]
    return series.name if len(same) == 1 else f"{series.name} ({same.index(series) + 1})"


def _status(points: Sequence[Point]) -> Cell:
    status = next((point.status for point in reversed(points) if point.status), "")
    return VerdictStatus(status) if status in set(VerdictStatus) else numbers.NOTHING


def _newest(series: Series, measure: str) -> str:
    known = [figure.value for point in series.points if (figure := point.figure(measure)).known]
    return shown(measure, known[-1] if known else math.nan)


def _with_bounds(measure: str, figure: Figure) -> str:
    text = shown(measure, figure.value)
    if not (math.isfinite(figure.lower) and math.isfinite(figure.upper)) or figure.lower == figure.upper:
        return text
    return f"{text} [{shown(measure, figure.lower)}, {shown(measure, figure.upper)}]"
