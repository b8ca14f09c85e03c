import re

from harness.report import markdown


def test_verdict_sentence_and_tables_come_before_the_folded_facts(report_of):
    text = markdown.render(report_of("fail"), None)
    assert text.startswith("## ✗ FAIL: feed-25ms\n\n**The compressed ranker misses p99 5 ms")
    order = ["### Objectives", "### What compression bought", "### Ledger", "### Findings", "<details>"]
    places = [text.index(heading) for heading in order]
    assert places == sorted(places)
    assert text.count("<details>") == text.count("</details>") == 2


def test_every_table_row_has_as_many_cells_as_its_head(report_of):
    for name in ("pass", "hostile"):
        for block in markdown.render(report_of(name), None).split("\n\n"):
            lines = [line for line in block.splitlines() if line.startswith("|")]
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) <= 1


def test_hostile_text_is_neither_markup_nor_a_way_out_of_a_code_block(report_of):
    text = markdown.render(report_of("hostile"), None)
    prose = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.S | re.M)
    assert "<script" not in prose
    assert "\x1b" not in prose
    assert "\n# " not in prose
    assert re.search(r"\\`x\\`", prose)


def test_an_incomplete_run_says_so_at_the_top(report_of):
    text = markdown.render(report_of("incomplete"), None)
    assert "> **Incomplete run: server exited with status -9." in text.split("###")[0]


def test_a_pull_request_comment_holds_it(report_of):
    assert len(markdown.render(report_of("pass"), None)) < 65_536
