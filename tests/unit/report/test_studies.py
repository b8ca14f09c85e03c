"""Capacity searches and comparisons as people read them."""

import re

import pytest
from drawings import tree_of, without_drawings

from harness.report import html, markdown, terminal

BENCHES = ("bench", "bench-cut", "bench-hostile")
STUDIES = (*BENCHES, "capacity", "capacity-open", "capacity-empty", "capacity-hostile", "compare", "compare-hostile")


@pytest.mark.parametrize("name", STUDIES)
def test_a_page_is_well_formed_and_self_contained(study_of, name):
    page = html.render_study(study_of(name))
    root = tree_of(page)
    assert not re.search(r"https?:|//\w|@import|url\(", without_drawings(page))
    assert {e.get("type") for e in root.findall(".//script")} <= {"application/json"}
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_a_capacity_is_told_in_one_sentence(study_of):
    text = terminal.render_study(study_of("capacity"))
    assert "meets p99 50 ms up to about 32" in text, "theory: 328"
    assert "(290 passed, 360 failed)" in text
    assert "begins to grow faster than the load at about 2" in text, "theory: 210"
    assert "nothing failed" in terminal.render_study(study_of("capacity-open"))
    assert "Nothing was measured" in terminal.render_study(study_of("capacity-empty"))


def test_the_points_stand_in_the_order_of_their_rates(study_of):
    rows = re.findall(r"^\| (\S+) /s \| \*\*(\S) (\w+)\*\*", markdown.render_study(study_of("capacity")), re.MULTILINE)
    assert [row[0] for row in rows] == ["100", "200", "283", "290", "328", "360", "400", "800"]
    assert rows[0][1:] == ("✓", "PASS")
    assert "generator-busy" in markdown.render_study(study_of("capacity-open"))


def test_without_points_there_is_no_picture(study_of):
    assert "<figure" not in html.render_study(study_of("capacity-empty"))
    assert "<figure" in html.render_study(study_of("capacity-open"))


def test_a_comparison_gives_an_answer_per_percentile_with_its_interval(study_of):
    text = terminal.render_study(study_of("compare"))
    assert "At p50: B faster (B takes 0.640 to 0.692 times as long as A); at p99: undecided" in text
    assert "results/one/bundle@tl2cgen" in text


def test_a_study_that_was_cut_short_says_so(study_of):
    assert "Incomplete: interrupted" in html.render_study(study_of("capacity-open"))
    assert "Incomplete" not in html.render_study(study_of("capacity"))


def test_hostile_text_stays_text(study_of):
    for name in ("capacity-hostile", "compare-hostile", "bench-hostile"):
        assert "<script>alert" not in html.render_study(study_of(name))
        assert "\x1b" not in markdown.render_study(study_of(name))


def test_a_bench_names_the_fastest_exact_engine_at_each_length_in_one_sentence(study_of):
    text = " ".join(terminal.render_study(study_of("bench")).split())
    assert "the fastest exact engine for this model is bitblend at 20, 100 and 500 candidates (120 us for 100, " in text
    assert "24x faster than native), tl2cgen at 1 candidate (39.0 us, 2.8x faster than native)" in text
    assert "rough is faster at 20, 100 and 500 candidates, but not exact" in text
    assert "aotinductor it compiles networks" in text
    assert "Resolved scenario" not in text, "a model file has none"


def test_a_bench_that_measured_nothing_says_so(study_of):
    assert "Nothing was measured" in terminal.render_study(study_of("bench-cut"))
    assert "<figure" not in html.render_study(study_of("bench-cut"))
