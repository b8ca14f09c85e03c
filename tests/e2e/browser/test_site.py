"""The site of a folder of results in a browser: its index, what is under way, a report in its box, the history."""

import json
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from harness.events import LoadProgress, Plan, PlannedStage, ScenarioDone, ScenarioStarted, StageStarted, to_data
from harness.pipeline.site import site_of
from harness.records import Report
from harness.report import html
from harness.samples import Samples

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"
PLAN = Plan("mine", (PlannedStage("load", 60.0),), {"p99": 25.0})


def loaded(at_s):
    return LoadProgress("compressed", 1, 2, at_s, 30.0, 2400, 2399, {"p50": 3.1, "p99": 9.9})


def tell(root, *events):
    (root / "under-way").mkdir(exist_ok=True)
    lines = [json.dumps(to_data(event, 2.0 * number)) for number, event in enumerate(events)]
    (root / "under-way" / "progress.jsonl").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    report = Report.model_validate_json((SAMPLE / "reports" / "pass.json").read_bytes())
    page = html.render(report, Samples.load(SAMPLE / "samples.npz"))
    for day in (1, 2, 3, 4):
        run = report.measurements.model_copy(update={"created": f"2026-01-0{day}T00:00:00+00:00"})
        folder = root / f"run-{day}"
        folder.mkdir()
        (folder / "result.json").write_text(report.model_copy(update={"measurements": run}).model_dump_json())
        (folder / "report.html").write_text(page)
    return root


@pytest.fixture
def open_site(browser, root):
    """`open_site(path)`: a page of the site with the `errors` of its console."""
    site = site_of(root, "127.0.0.1", 0)
    thread = threading.Thread(target=site.serve_forever, args=(0.01,))
    thread.start()
    context = browser.new_context(viewport={"width": 1200, "height": 900})

    def opened(path=""):
        page = context.new_page()
        page.errors = errors = []
        page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(site.url + path)
        return page

    yield opened
    context.close()
    site.shutdown()
    site.server_close()
    thread.join()


def serious(page):
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["help"]) for one in found if one["impact"] in ("serious", "critical")]


def test_the_index_can_be_sorted_and_leads_to_a_report_whose_charts_are_live(open_site, tmp_path):
    page = open_site()
    assert serious(page) == []
    assert page.locator(".live").is_hidden()
    page.get_by_role("columnheader", name="page", exact=True).get_by_role("button").click()
    assert page.locator("tbody th").all_inner_texts() == ["run-1", "run-2", "run-3", "run-4"]
    page.screenshot(path=tmp_path / "index.png")
    page.get_by_role("link", name="run-1").click()
    page.locator("figure[data-drawn=live]").first.wait_for()
    assert page.title() == "PASS: feed-25ms"
    assert page.errors == []


def test_a_run_under_way_is_followed_until_it_has_ended(open_site, root, tmp_path):
    tell(root, ScenarioStarted(PLAN), StageStarted("load"), loaded(6.0))
    page = open_site()
    page.get_by_text("6/30 s, 2400 due, p50 3.1 ms, p99 9.9 ms").wait_for()
    assert page.get_by_role("progressbar").get_attribute("value") == "0.2"
    assert serious(page) == []
    page.screenshot(path=tmp_path / "live.png")
    tell(root, ScenarioStarted(PLAN), StageStarted("load"), loaded(6.0), loaded(15.0))
    page.get_by_text("15/30 s").wait_for()
    tell(root, ScenarioStarted(PLAN), StageStarted("load"), loaded(15.0), ScenarioDone("mine", "PASS", "under-way"))
    page.locator(".live").wait_for(state="hidden")
    assert page.errors == []


def test_the_history_has_live_charts_that_follow_dark_mode(open_site, tmp_path):
    page = open_site("history.html")
    page.locator("figure[data-drawn=live]").first.wait_for()
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious(page) == []
    page.screenshot(path=tmp_path / "history.png", full_page=True)
    assert page.locator("figure[data-drawn=live]").count() == page.locator("figure[data-chart]").count() >= 4
    assert page.errors == []
