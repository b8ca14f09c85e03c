import base64
import hashlib
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from drawings import tree_of, without_drawings

from harness.report import html
from harness.samples import Samples

SVG = "{http://www.w3.org/2000/svg}"
VARIANTS = (
    "pass", "fail", "inconclusive", "invalid", "unanswered", "no-teacher", "uncompressed", "incomplete", "hostile",
    "wrong-answers", "target",
)  # fmt: skip


def taken_of(name, samples):
    fast = samples.where(samples.target == 1)
    asked = replace(fast, targets=("target",), target=np.zeros_like(fast.target))
    return {"incomplete": None, "no-teacher": fast, "target": asked}.get(name, samples)


def text_of(page):
    return " ".join("".join(tree_of(page).itertext()).split())


@pytest.mark.parametrize("name", VARIANTS)
def test_page_is_well_formed_and_self_contained_and_runs_only_its_own_script(report_of, samples, name):
    page = html.render(report_of(name), taken_of(name, samples))
    root = tree_of(page)
    assert not re.search(r"=[\"'](https?:|//)|@import|url\(", without_drawings(page))
    assert {e.get("type") for e in root.findall(".//script")} <= {"application/json"}
    assert not root.findall(".//link")
    assert not [e for e in root.iter() for key in e.attrib if key.startswith("on") or key == "src"]
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert len(page.encode()) < 2_000_000


def test_the_policy_names_the_only_scripts_that_may_run(report_of, study_of, samples):
    several = [report_of(name) for name in ("pass", "truncated", "tiny")]
    for page, n in ((html.render(report_of("hostile"), samples), 1), (html.render_suite(several), 2)):
        scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
        digests = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts]
        assert len(scripts) == n
        assert f'script-src {" ".join(digests)}"' in page
    assert "script-src 'none'" in html.render_study(study_of("capacity-empty"))


def test_commands_in_sentences_are_code(report_of):
    run = report_of("pass").measurements.model_copy(update={"calibration": None})
    root = tree_of(html.render(report_of("pass").model_copy(update={"measurements": run}), None))
    assert "harness calibrate" in [code.text for code in root.findall(".//dd/code")]


def test_hostile_text_stays_text(report_of, samples):
    page = without_drawings(html.render(report_of("hostile"), samples))
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "alert(1)" in text_of(page)
    suite = without_drawings(html.render_suite([report_of("hostile")]))
    assert "<script>alert" not in suite
    assert "<script>alert(1)</script>" in text_of(suite)


def test_the_verdict_comes_first_in_words(report_of, samples):
    for name, status in (("fail", "FAIL"), ("invalid", "INVALID")):
        root = tree_of(html.render(report_of(name), samples))
        assert status in "".join(root.find(".//h1").itertext())


def test_an_incomplete_run_raises_an_alarm(report_of):
    root = tree_of(html.render(report_of("incomplete"), None))
    alarm = root.find(".//p[@role='alert']")
    assert "server exited with status -9" in "".join(alarm.itertext())
    assert [f.get("data-chart") for f in root.findall(".//figure")] == ["waterfall-lost", "waterfall-size"]


def test_charts_have_a_text_alternative_and_a_drawing_without_scripts(report_of, samples):
    root = tree_of(html.render(report_of("pass"), samples))
    figures = {figure.get("data-chart"): figure for figure in root.findall(".//figure")}
    assert list(figures) == [
        "latency", "timeline", "send-lag", "waterfall-lost", "waterfall-size", "waterfall-engine", "groups",
        "ndcg-by-size", "lost-by-size",
    ]  # fmt: skip
    for name, figure in figures.items():
        drawing = figure.find("div[@role='img']")
        assert drawing.get("aria-label")
        assert root.find(f".//p[@id='{drawing.get('aria-describedby')}']").text
        assert drawing.find(f"div/{SVG}svg") is not None
        assert len(ElementTree.tostring(drawing)) < 120_000, name
    assert "teacher: p50 65.4 ms" in figures["latency"].find("p").text
    assert "p99 at most 25 ms" in figures["latency"].find("p").text


def many(n):
    rng = np.random.default_rng(0)
    due = np.sort(rng.uniform(0, 100, n))
    return Samples(
        targets=("teacher", "compressed"),
        target=(np.arange(n) % 2).astype(np.int16),
        segment=np.zeros(n, dtype=np.int16),
        in_window=np.ones(n, dtype=bool),
        due_s=due,
        sent_s=due + 1e-5,
        done_s=due + rng.lognormal(-5, 1, n),
        status=np.full(n, 200, dtype=np.int16),
        n_candidates=np.full(n, 100, dtype=np.int32),
        body=np.zeros(n, dtype=np.int32),
    )


def test_a_hundred_times_the_samples_make_no_larger_page(report_of):
    small, large = (len(html.render(report_of("pass"), many(n))) for n in (2_000, 200_000))
    assert large < 1.1 * small


def test_failed_requests_show_in_the_picture(report_of, samples):
    page = html.render(report_of("unanswered"), samples)
    assert "not answered" in page
    gone = Samples(**{**vars(samples), "status": np.zeros_like(samples.status)})
    assert "Latency distribution" not in html.render(report_of("pass"), gone)


def test_suite_links_each_run_to_its_own_page(report_of):
    root = tree_of(html.render_suite([report_of("pass"), report_of("incomplete")]))
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
