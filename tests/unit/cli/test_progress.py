import io
import json

import pytest
from rich.console import Console

from harness.cli.live import LiveScreen
from harness.cli.progress import reporter
from harness.events import (
    Count,
    LoadProgress,
    Plan,
    PlannedStage,
    ScenarioDone,
    ScenarioStarted,
    StageDone,
    StageStarted,
    SuiteStarted,
)

STAGES = (PlannedStage("data", 2.0), PlannedStage("ranker lightgbm", 1.0, cached=True), PlannedStage("load", None))
PLAN = Plan("feed", STAGES, {"p99": 25.0})


def test_plain_lines_go_to_stderr_and_counting_lines_are_thinned(capsys):
    with reporter(quiet=False) as progress:
        for done in range(50):
            progress(Count("lightgbm: trees", done, 50))
        progress(StageStarted("compress.0 truncate"))
        progress("a title \x1b[31m of someone")
    captured = capsys.readouterr()
    assert captured.out == ""
    counted, started, said = captured.err.splitlines()
    assert "trees 0/50" in counted
    assert started.endswith("s  compress.0 truncate")
    assert "\x1b" not in said


def test_plain_lines_tell_what_is_left_as_a_stage_begins(capsys):
    with reporter(quiet=False) as progress:
        progress(ScenarioStarted(PLAN))
        progress(StageStarted("data"))
    scenario, stage = capsys.readouterr().err.splitlines()
    assert scenario.endswith("feed: about 3.0 s and what is not known: load")
    assert stage.endswith("data  (about 3.0 s left and what is not known: load)")


def test_quiet_says_nothing(capsys):
    with reporter(quiet=True, as_json=True) as progress:
        progress("anything")
    assert capsys.readouterr().err == ""


def test_beside_a_result_in_json_progress_is_json_lines(capsys):
    with reporter(quiet=False, as_json=True) as progress:
        progress(StageStarted("data"))
        progress("a line")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["stage_started", "line"]
    assert all(line["at_s"] >= 0 for line in lines)


@pytest.fixture
def screen():
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True, color_system=None)
    live = LiveScreen(console)

    def shown(*events):
        for event in events:
            live(event)
        file.truncate(file.seek(0))
        console.print(live.render())
        return file.getvalue()

    shown.file = file
    return shown


def test_the_screen_shows_stages_with_their_times_and_what_is_left(screen):
    text = screen(ScenarioStarted(PLAN), StageStarted("data"), StageDone("data", 2.5), StageStarted("ranker lightgbm"))
    assert "about 1.0 s left and what is not known: load" in text
    rows = [line.split() for line in text.splitlines()[1:]]
    assert rows[0] == ["✓", "data", "2.5", "s"]
    assert rows[1][1:3] == ["ranker", "lightgbm"]
    assert rows[2] == ["·", "load", "not", "known"]
    text = screen(StageDone("ranker lightgbm", 0.2, cached=True))
    assert "0.2 s, from the cache" in text


@pytest.mark.parametrize(
    ("p99_ms", "said"), [(8.0, "within the 25 ms of the SLA"), (26.0, "over the 25 ms"), (None, "not answered")]
)
def test_the_screen_shows_latency_against_the_sla_in_words(screen, p99_ms, said):
    load = LoadProgress("compressed", 1, 2, 3.0, 5.0, 100, 99, {"p50": 1.5, "p90": 2.0, "p99": p99_ms})
    text = screen(ScenarioStarted(PLAN), StageStarted("load"), load)
    assert "compressed, round 1/2" in text
    assert "99 of 100 answered" in text
    assert "1.5 ms" in text
    assert said in text
    assert "p90" not in text, "the SLA does not ask for it"


def test_the_screen_counts_scenarios_and_keeps_their_verdicts(screen):
    other = Plan("other", STAGES)
    reused = ScenarioDone("before", "FAIL", "run-0", reused=True)
    screen(SuiteStarted((PLAN, other), ("before",)), reused, ScenarioStarted(PLAN))
    text = screen(ScenarioDone("feed", "PASS", "run-1"), ScenarioStarted(other))
    assert "[3/3] other" in text


def test_what_files_say_steers_no_terminal(screen):
    text = screen(ScenarioStarted(PLAN), StageStarted("data"), "[red]from \x1b]0;a file\x07")
    assert "[red]from" in text
    assert "\x1b]0" not in text
