import io
import re
import sys

import pytest

from harness.report import terminal


class Screen(io.TextIOWrapper):
    def isatty(self):
        return True


@pytest.fixture
def screen(monkeypatch):
    """`screen()` makes stdout a terminal of 100 columns; called in the test, as capture starts anew before it."""

    def show():
        monkeypatch.setattr(sys, "stdout", Screen(io.BytesIO(), encoding="utf-8"))
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLUMNS", "100")

    return show


def test_elsewhere_than_on_a_terminal_it_is_ascii_without_colour(report_of):
    text = terminal.render(report_of("pass"), None)
    assert text.isascii()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 160


def test_on_a_terminal_it_has_colour_and_keeps_to_the_width(report_of, screen):
    screen()
    text = terminal.render(report_of("pass"), None)
    assert "\x1b[1;32m✓ PASS" in text
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in text.splitlines()) <= 100


def test_a_table_that_is_wider_than_the_screen_goes_on_below_with_all_its_figures(report_of, screen, monkeypatch):
    report = report_of("pass")
    wide = terminal.render(report, None)
    screen()
    monkeypatch.setenv("COLUMNS", "80")
    narrow = re.sub(r"\x1b\[[\d;]*m", "", terminal.render(report, None))
    ledger = narrow.partition("Ledger")[2].partition("Packed:")[0]
    assert len(re.findall(r"^ step  ", ledger, flags=re.MULTILINE)) > 1
    assert "built in" in ledger
    figures = re.findall(r"[\d.,]+(?= us| ms| kB| s)", wide.partition("Ledger")[2].partition("Packed:")[0])
    assert len(figures) > 20
    assert sorted(re.findall(r"[\d.,]+(?= µs| ms| kB| s)", ledger)) == sorted(figures)


def test_no_color_is_respected(report_of, screen, monkeypatch):
    screen()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;32m" not in terminal.render(report_of("pass"), None)


def test_verdict_stands_first_and_last(report_of):
    lines = terminal.render(report_of("fail"), None).strip().splitlines()
    assert lines[0] == lines[-1] == "feed-25ms  x FAIL"


def test_hostile_text_can_not_steer_the_terminal(report_of, screen, monkeypatch):
    screen()
    monkeypatch.setenv("NO_COLOR", "1")
    text = terminal.render(report_of("hostile"), None) + terminal.render_suite([report_of("hostile")])
    assert "\x1b[31m" not in text
    assert "\u202e" not in text


def test_an_output_that_can_not_encode_a_name_gets_it_escaped(report_of, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    text = terminal.render(report_of("pass").model_copy(update={"name": "größe"}), None)
    assert "gr\\xf6\\xdfe" in text


def test_an_incomplete_run_says_so_at_the_top(report_of):
    assert terminal.render(report_of("incomplete"), None).splitlines()[1].startswith("Incomplete run: server")
