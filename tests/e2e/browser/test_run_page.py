"""Reports of runs and studies in a browser, as far as only a browser can tell."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from pydantic import TypeAdapter

from harness.records import Report
from harness.report import html
from harness.samples import Samples
from harness.studies import Study

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"
STUDIES = ("capacity", "bench", "compare", "bench-hostile")
SERIOUS = ("serious", "critical")
MODES = {
    "wide": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 420, "height": 900}},
    "no-scripts": {"java_script_enabled": False},
}


def report_of(name):
    return Report.model_validate_json((SAMPLE / "reports" / f"{name}.json").read_bytes())


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages by name: a run with searches of capacity and samples, one of hostile text, and studies."""
    folder, samples = tmp_path_factory.mktemp("pages"), Samples.load(SAMPLE / "samples.npz")
    found = {name: html.render(report_of(name), samples) for name in ("pass", "uncompressed", "hostile")}
    for name in STUDIES:
        study = TypeAdapter(Study).validate_json((SAMPLE / "studies" / f"{name}.json").read_bytes())
        found[name] = html.render_study(study)
    for name, page in found.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in found}


def live(page):
    """The page once its script has redrawn every chart."""
    page.wait_for_function("document.querySelectorAll('figure[data-chart]:not([data-drawn])').length === 0")
    return page


def marks(page):
    """How many marks each chart shows, by its name."""
    return page.eval_on_selector_all(
        "figure[data-chart]",
        "figures => Object.fromEntries(figures.map(f => [f.dataset.chart, f.querySelectorAll("
        "'svg .mark-line path, svg .mark-rect path, svg .mark-symbol path, svg .mark-rule line').length]))",
    )


@pytest.mark.parametrize("name", ["pass", "uncompressed", "hostile", *STUDIES])
def test_a_page_draws_its_charts_without_an_error_or_a_request(page_of, pages, name):
    page = live(page_of(pages[name]))
    assert page.errors == []
    assert page.requests == []
    assert all(marks(page).values()), marks(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_a_run_has_every_chart(page_of, pages):
    assert list(marks(live(page_of(pages["pass"])))) == [
        "latency", "timeline", "send-lag", "waterfall-lost", "waterfall-size", "waterfall-engine", "groups",
        "ndcg-by-size", "lost-by-size",
    ]  # fmt: skip
    assert {"rates-teacher", "rates-compressed"} <= set(marks(live(page_of(pages["uncompressed"]))))


@pytest.mark.parametrize("mode", MODES)
def test_a_page_looks_right_and_is_accessible(page_of, pages, mode, tmp_path):
    page = page_of(pages["pass"], **MODES[mode])
    if mode == "no-scripts":
        assert all(marks(page).values())
        assert page.locator("tbody tr").count() > 30
    else:
        live(page)
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["target"]) for v in found if v["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.screenshot(path=tmp_path / f"{mode}.png", full_page=True)


def test_charts_take_the_colours_of_the_page(page_of, pages):
    inks = [
        live(page_of(pages["pass"], color_scheme=scheme)).eval_on_selector(
            "figure[data-chart=latency] svg .mark-line path", "line => getComputedStyle(line).stroke"
        )
        for scheme in ("light", "dark")
    ]
    assert inks == ["rgb(11, 95, 193)", "rgb(116, 179, 255)"]


def test_a_value_stands_under_the_pointer(page_of, pages):
    page = live(page_of(pages["pass"]))
    page.locator("figure[data-chart=latency] svg .mark-symbol path").nth(60).hover(force=True)
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert re.search(r"ranker\s+\w+\s+latency\s+[\d.]+ ms\s+answered by then\s+[\d.]+ %", tip.inner_text())


def test_hostile_text_is_shown_and_not_run(page_of, pages):
    page = live(page_of(pages["hostile"]))
    assert "alert(1)" in page.inner_text("h1")
    assert page.evaluate("document.querySelectorAll('script:not([type])').length") == 1


def test_only_the_script_of_the_page_may_run(page_of, pages):
    page = page_of(pages["pass"])
    page.evaluate("() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; "
                  "document.body.append(s); }")  # fmt: skip
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in error for error in page.errors)


def test_a_page_prints(page_of, pages, tmp_path):
    page = live(page_of(pages["pass"], color_scheme="dark"))
    page.pdf(path=tmp_path / "report.pdf", format="A4", print_background=True)
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 20
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    widths = page.eval_on_selector_all("figure svg", "all => all.map(svg => svg.getBoundingClientRect().right)")
    assert max(widths) <= 1200
