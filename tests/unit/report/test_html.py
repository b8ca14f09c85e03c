import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from harness.report import html
from harness.samples import Samples

VARIANTS = (
    "pass", "fail", "inconclusive", "invalid", "unanswered", "no-teacher", "uncompressed", "incomplete", "hostile",
    "wrong-answers", "target",
)  # fmt: skip


def taken_of(name, samples):
    fast = samples.where(samples.target == 1)
    asked = replace(fast, targets=("target",), target=np.zeros_like(fast.target))
    return {"incomplete": None, "no-teacher": fast, "target": asked}.get(name, samples)


def text_of(page):
    return " ".join("".join(ElementTree.fromstring(page).itertext()).split())


@pytest.mark.parametrize("name", VARIANTS)
def test_page_is_well_formed_self_contained_and_needs_no_script(report_of, samples, name):
    page = html.render(report_of(name), taken_of(name, samples))
    root = ElementTree.fromstring(page)
    assert not re.search(r"=[\"'](https?:|//)|@import|url\(", page)
    assert not root.findall(".//script")
    assert not root.findall(".//link")
    assert not [e for e in root.iter() for key in e.attrib if key.startswith("on") or key == "src"]
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_hostile_text_stays_text(report_of, samples):
    page = html.render(report_of("hostile"), samples)
    assert "<script" not in page
    assert "alert(1)" in text_of(page)
    suite = html.render_suite([report_of("hostile")])
    assert "<script" not in suite
    assert "<script>alert(1)</script>" in text_of(suite)


def test_the_verdict_comes_first_in_words(report_of, samples):
    for name, status in (("fail", "FAIL"), ("invalid", "INVALID")):
        root = ElementTree.fromstring(html.render(report_of(name), samples))
        assert status in "".join(root.find(".//h1").itertext())


def test_an_incomplete_run_raises_an_alarm(report_of):
    root = ElementTree.fromstring(html.render(report_of("incomplete"), None))
    alarm = root.find(".//p[@role='alert']")
    assert "server exited with status -9" in "".join(alarm.itertext())
    assert root.find(".//svg/title").text == "What each step did"


def test_pictures_have_a_text_alternative(report_of, samples):
    root = ElementTree.fromstring(html.render(report_of("pass"), samples))
    pictures = root.findall(".//svg")
    assert len(pictures) == 2
    for picture in pictures:
        assert picture.get("role") == "img"
        assert picture.find("title").text
    assert "teacher: p50 65.4 ms" in pictures[0].find("desc").text
    assert "p99 at most 25 ms" in pictures[0].find("desc").text


def test_a_hundred_thousand_samples_make_a_small_page(report_of):
    n = 100_000
    rng = np.random.default_rng(0)
    due = np.sort(rng.uniform(0, 100, n))
    many = Samples(
        targets=("teacher", "compressed"),
        target=(np.arange(n) % 2).astype(np.int16),
        segment=np.zeros(n, dtype=np.int16),
        in_window=np.ones(n, dtype=bool),
        due_s=due,
        sent_s=due,
        done_s=due + rng.lognormal(-5, 1, n),
        status=np.full(n, 200, dtype=np.int16),
        n_candidates=np.full(n, 100, dtype=np.int32),
        body=np.zeros(n, dtype=np.int32),
    )
    assert len(html.render(report_of("pass"), many).encode()) < 100_000


def test_failed_requests_show_in_the_picture(report_of, samples):
    page = html.render(report_of("unanswered"), samples)
    assert "not answered" in page
    gone = Samples(**{**vars(samples), "status": np.zeros_like(samples.status)})
    assert "Latency distribution" not in html.render(report_of("pass"), gone)


def test_suite_links_each_run_to_its_own_page(report_of):
    root = ElementTree.fromstring(html.render_suite([report_of("pass"), report_of("incomplete")]))
    assert [a.get("href") for a in root.findall(".//a")] == ["feed-25ms-20250131T120000-0a1b2c3d/report.html"]


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return float(np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_keep_wcag_aa_in_light_dark_and_print(report_of, samples):
    page = html.render(report_of("pass"), samples)
    palettes = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r":root \{([^}]*)\}", page)]
    assert len(palettes) == 3
    for palette in palettes:
        texts = [(ink, back) for ink in ("ink", "soft") for back in ("page", "sheet", "code")]
        texts += [(tone, f"{tone}-back") for tone in ("pass", "fail", "doubt", "void")]
        texts += [(tone, "sheet") for tone in ("fail", "void", "new", "old", "link")]
        for ink, back in texts:
            assert contrast(palette[ink], palette[back]) >= 4.5, (ink, back)
        for mark in ("new", "old", "control"):
            assert contrast(palette[mark], palette["sheet"]) >= 3, mark
