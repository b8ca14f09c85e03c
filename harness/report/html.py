"""HTML: one self-contained page with pictures, light and dark, that asks nothing of any host and runs no script.

Opens from a disk, an e-mail attachment or a build's artefacts; each picture has its figures in a table beside it. Saved
as `report.html` beside every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.records import Report, VerdictStatus
from harness.report import _capacity, _suite
from harness.report._bars import ledger_bars
from harness.report._cdf import latency_cdf
from harness.report._printable import printable
from harness.report._study import study_view
from harness.report._table import MARKS
from harness.report._view import view, weight
from harness.samples import Samples
from harness.studies import Study

if TYPE_CHECKING:
    from jinja2 import Template

SUFFIX = "report.html"


def render(report: Report, samples: Samples | None) -> str:
    """One run as a page; the latency picture needs the samples."""
    from markupsafe import Markup

    run, shown = report.measurements, view(report)
    return _template("report").render(
        view=shown,
        pictures=[Markup(search.picture) for search in shown.searches],  # noqa: S704  (escaped by `_svg`)
        rates=_capacity.CAPTION,
        latency=Markup(latency_cdf(report, samples) if samples is not None else ""),  # noqa: S704  (escaped by `_svg`)
        bars=Markup(ledger_bars(run.ledger, run.ndcg)),  # noqa: S704
        tool_version=run.tool_version,
        created=run.created,
    )


def render_suite(reports: list[Report]) -> str:
    """Several runs as a page of links to `<run>/report.html`."""
    from markupsafe import Markup

    links = [f"{quote(report.run)}/{SUFFIX}" if report.run else "" for report in reports]
    shown = _suite.view(reports)
    pictures = [Markup(picture) for picture in shown.pictures]  # noqa: S704
    return _template("suite").render(view=shown, pictures=pictures, links=links)


def render_study(study: Study) -> str:
    """A capacity search, a comparison or a bench as a page."""
    from markupsafe import Markup

    run, shown = study.measurements, study_view(study)
    return _template("study").render(
        view=shown,
        picture=Markup(shown.picture),  # noqa: S704
        tool_version=run.tool_version,
        created=run.created,
    )


def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("harness.report", "_templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["status"] = lambda cell: isinstance(cell, VerdictStatus)
    environment.globals |= {"marks": MARKS, "weight": weight}
    return environment.get_template(f"{name}.html.j2")
