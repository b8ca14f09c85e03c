"""HTML: one self-contained page with charts, light and dark; it asks nothing of any host and needs no script.

Opens from a disk, an e-mail attachment or a build's artefacts; each chart has its figures in a table beside it. Saved
as `report.html` beside every run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness import __version__, explanations
from harness.history.listing import Listing
from harness.history.series import History
from harness.printable import printable
from harness.records import Report, VerdictStatus
from harness.report import _history, _objectives, _suite
from harness.report import _numbers as numbers
from harness.report._charts.chart import Chart
from harness.report._charts.engine_times import time_against_length
from harness.report._charts.front import front_chart
from harness.report._charts.groups import spread_of_quality
from harness.report._charts.latency import latency_cdf
from harness.report._charts.rates import latency_against_load
from harness.report._charts.ratios import ratios
from harness.report._charts.send_lag import send_lag
from harness.report._charts.timeline import latency_over_time
from harness.report._charts.trend import trend_charts
from harness.report._charts.waterfall import CAPTION, waterfalls
from harness.report._study import study_view
from harness.report._table import MARKS, Table
from harness.report._view import view, weight
from harness.samples import Samples
from harness.studies import Bench, Capacity, Study

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

SUFFIX = "report.html"
_SAVED = {"run": SUFFIX, "capacity": "capacity.html"}
_MOST_CHARTED = 24


def render(report: Report, samples: Samples | None) -> str:
    """One run as a page; pictures of latency need the samples."""
    run = report.measurements
    charts = {
        "latency": [chart(report, samples) for chart in (latency_cdf, latency_over_time, send_lag)] if samples else [],
        "searches": [latency_against_load(search) for search in report.capacities],
        "ledger": waterfalls(run.ledger, run.ndcg),
        "quality": spread_of_quality(run.ledger, run.ndcg),
    }
    shown = view(report)
    content: dict[str, Any] = {
        "waterfall_caption": CAPTION,
        "glance": _objectives.glance(shown.objectives),
        "reasons": _objectives.reasons(shown.objectives),
    }
    return _page("report", charts, view=shown, tool_version=run.tool_version, created=run.created, **content)


def render_suite(reports: list[Report]) -> str:
    """Several runs as a page of links to `<run>/report.html`."""
    links = [f"{quote(report.run)}/{SUFFIX}" if report.run else "" for report in reports]
    shown = _suite.view(reports)
    charts = {"fronts": [front_chart(front, place) for place, front in enumerate(shown.charted)]}
    return _page("suite", charts, scripts=[_own_script("table")], view=shown, links=links)


def render_study(study: Study) -> str:
    """A capacity search, a comparison or a bench as a page."""
    match study:
        case Capacity():
            chart = latency_against_load(study)
        case Bench():
            chart = time_against_length(study)
        case _:
            chart = ratios(study)
    run = study.measurements
    view = study_view(study)
    return _page("study", {"study": [chart]}, view=view, tool_version=run.tool_version, created=run.created)


def render_history(history: History, folder: Path) -> str:
    """The history of a folder of results as a page that lies in `folder`, by which its links to runs are relative.

    The newest series have charts; drawing those of hundreds would take a minute.
    """
    newest = sorted(history.series, key=lambda series: series.points[-1].created)[-_MOST_CHARTED:]
    charts = {
        _history.title(history, series): trend_charts(series, place) if series in newest else []
        for place, series in enumerate(history.series)
    }
    base = os.path.relpath(history.root, folder)
    series = [
        (
            _history.title(history, one),
            _history.runs(one),
            [quote(f"{base}/{point.run}/{_SAVED[point.kind]}") for point in reversed(one.points)],
        )
        for one in history.series
    ]
    return _page(
        "history",
        charts,
        root=history.root,
        sentence=_history.sentence(history),
        trends=_history.trends(history),
        judged=_history.judged(history),
        parted=_history.parted(history),
        series=series,
        problems=history.problems,
        tool_version=__version__,
    )


def render_site(listing: Listing, name: str) -> str:
    """The index of a folder of results: what is under way, and a row for each page."""
    rows = tuple(
        (
            entry.name,
            VerdictStatus(entry.status) if entry.status else numbers.NOTHING,
            entry.kind,
            _history.when(entry.created),
        )
        for entry in listing.entries
    )
    count = len(rows)
    return _page(
        "site",
        {},
        scripts=[_own_script("table"), _own_script("live")],
        name=name,
        sentence=f"{count} page{'' if count == 1 else 's'}, the newest first.",
        table=Table("Results", ("page", "verdict", "of a", "when (UTC)"), rows, n_text=4),
        links=[f"/{quote(entry.path)}" for entry in listing.entries],
        live=listing.live,
        notes=listing.notes,
        tool_version=__version__,
    )


def _page(
    template: str, charts: Mapping[str, Iterable[Chart | None]], scripts: Sequence[str] = (), **content: Any
) -> str:
    """The page with its charts drawn, with the script that makes them live where it has any, and with `scripts`."""
    from markupsafe import Markup

    from harness.report._charts.drawing import digest, page_script

    drawn = {place: [chart and _drawn(chart) for chart in several] for place, several in charts.items()}
    if any(chart for several in drawn.values() for chart in several):
        scripts = (page_script(), *scripts)
    policy = " ".join(f"'{digest(script)}'" for script in scripts) or "'none'"
    page = _environment().get_template(f"{template}.html.j2")
    trusted = [Markup(script) for script in scripts]  # noqa: S704  (ours and the charting library's)
    return page.render(charts=drawn, scripts=trusted, script_policy=Markup(policy), **content)  # noqa: S704


def _own_script(name: str) -> str:
    """JavaScript of ours, as it lies beside the templates."""
    return (Path(__file__).parent / "_templates" / f"{name}.js").read_text(encoding="utf-8")


def _drawn(chart: Chart) -> tuple[Chart, Markup, Markup]:
    """A chart, how it looks without scripts, and its specification for the page's script."""
    from markupsafe import Markup

    from harness.report._charts.drawing import drawn

    spec = json.dumps(chart.spec(live=True), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&":
        spec = spec.replace(character, f"\\u{ord(character):04x}")
    return chart, Markup(drawn(chart)), Markup(spec)  # noqa: S704  (SVG is escaped by who draws it)


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("harness.report", "_templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    environment.filters["number"] = lambda value: f"{value:.7g}".replace("inf", "Infinity")  # as JavaScript reads it
    environment.tests["status"] = lambda cell: isinstance(cell, VerdictStatus)
    environment.globals |= {"marks": MARKS, "weight": weight, "explained": explanations.finding}
    return environment


def _prose(text: str) -> Markup:
    """A sentence, escaped: what stands in backticks as code, and no line break between a figure and its %."""
    from markupsafe import Markup, escape

    unbroken = re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", str(escape(printable(text))))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", unbroken))  # noqa: S704  (escaped above)
