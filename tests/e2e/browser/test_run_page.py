"""The report of a run in a browser."""

from pathlib import Path

import pytest

from harness.records import Report
from harness.report import html
from harness.samples import Samples

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"


@pytest.fixture(scope="module")
def run_page(tmp_path_factory):
    report = Report.model_validate_json((SAMPLE / "reports" / "pass.json").read_bytes())
    path = tmp_path_factory.mktemp("pages") / "report.html"
    path.write_text(html.render(report, Samples.load(SAMPLE / "samples.npz")), encoding="utf-8")
    return path


def test_the_page_opens_without_an_error_and_asks_nothing_of_anyone(page_of, run_page):
    page = page_of(run_page)
    assert page.title() == "PASS: feed-25ms"
    assert page.errors == []
    assert page.requests == []
