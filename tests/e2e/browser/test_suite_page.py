"""The page of a suite in a browser: sorting, filtering, and reading it without scripts."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from harness.records import Report
from harness.report import html

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"
SUITE = ("pass", "truncated", "tiny", "invalid", "target", "unanswered")
NAMES = ["feed-25ms", "feed-truncated", "feed-tiny", "invalid", "target", "unanswered"]


@pytest.fixture(scope="module")
def suite_page(tmp_path_factory):
    reports = [Report.model_validate_json((SAMPLE / "reports" / f"{name}.json").read_bytes()) for name in SUITE]
    reports = [report.model_copy(update={"name": name}) for report, name in zip(reports, NAMES, strict=True)]
    path = tmp_path_factory.mktemp("pages") / "suite.html"
    path.write_text(html.render_suite(reports), encoding="utf-8")
    return path


def column(page, head):
    place = [text.strip(" ↕↑↓") for text in page.locator("[data-sortable] thead th").all_inner_texts()].index(head)
    return [row.locator("th, td").nth(place).inner_text() for row in page.locator("[data-sortable] tbody tr").all()]


def shown(page):
    return [row.inner_text() for row in page.locator("[data-sortable] tbody tr:visible th").all()]


def test_the_page_opens_without_an_error_asks_nothing_of_anyone_and_is_accessible(page_of, suite_page, tmp_path):
    page = page_of(suite_page)
    assert page.errors == []
    assert page.requests == []
    page.locator("figure[data-drawn=live]").first.wait_for()
    found = Axe().run(page).response["violations"]
    assert [one for one in found if one["impact"] in ("serious", "critical")] == []
    page.screenshot(path=tmp_path / "suite.png", full_page=True)


def test_a_head_sorts_by_the_number_behind_its_column_by_keyboard_too(page_of, suite_page):
    page = page_of(suite_page)
    head = page.get_by_role("columnheader", name="p50", exact=True)
    assert head.get_attribute("aria-sort") is None
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    rising = page.locator("[data-sortable] td:nth-child(3)").evaluate_all("cells => cells.map(c => +c.dataset.key)")
    assert rising == sorted(rising)
    page.get_by_role("columnheader", name="NDCG lost", exact=True).get_by_role("button").click()
    assert head.get_attribute("aria-sort") is None, "the table is sorted by one column"
    lost = column(page, "NDCG lost")
    assert lost[-1] == "–", "what is not known stands last"
    page.get_by_role("columnheader", name="NDCG lost", exact=True).get_by_role("button").click()
    again = column(page, "NDCG lost")
    assert again[-1] == "–"
    assert again[:-1] == sorted(lost[:-1], reverse=True)


def test_words_are_sorted_as_words_and_links_go_with_their_rows(page_of, suite_page):
    page = page_of(suite_page)
    page.get_by_role("columnheader", name="scenario").first.get_by_role("button").click()
    assert shown(page) == sorted(NAMES)
    row = page.locator("[data-sortable] tbody tr", has_text="feed-tiny")
    assert row.locator("a").get_attribute("href").endswith("/report.html")


def test_rows_are_narrowed_by_text_and_by_verdict(page_of, suite_page):
    page = page_of(suite_page)
    search, verdict = page.get_by_label("Show rows with"), page.get_by_label("and verdict")
    search.fill("FEED-t")
    assert shown(page) == ["feed-truncated", "feed-tiny"]
    assert page.locator(".filter output").inner_text() == "2 of 6 shown"
    search.fill("")
    verdict.select_option("INVALID")
    assert shown(page) == ["invalid"]
    verdict.select_option("")
    assert len(shown(page)) == len(NAMES)


def test_without_scripts_the_table_is_whole_and_shows_no_control_that_does_nothing(page_of, suite_page):
    page = page_of(suite_page, java_script_enabled=False)
    assert shown(page) == NAMES
    assert not page.locator(".filter").is_visible()
    assert page.locator("[data-sortable] button").count() == 0
    assert page.locator("figure[data-chart] svg").first.is_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_both_palettes_keep_the_controls_readable(page_of, suite_page, colours):
    page = page_of(suite_page, color_scheme=colours)
    rules = {"runOnly": ["color-contrast"]}
    assert Axe().run(page, context=".filter, [data-sortable] thead", options=rules).response["violations"] == []
