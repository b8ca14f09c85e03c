"""The time left: replayed moment by moment, what was said against what came."""

from pathlib import Path

import pytest
from time_left import recorded, replayed

from harness.cli.time_left import Estimate, TimeLeft
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

BUILD, LOAD = PlannedStage("build", 40.0), PlannedStage("load", 26.0, traffic_s=20.0, followed=True)
PLAN = Plan("feed", (BUILD, LOAD, PlannedStage("report", 1.0)))


def told(*events):
    time_left = TimeLeft()
    for at_s, event in events:
        time_left.take(event, at_s)
    return time_left


def segment(passed_s, *, done=False):
    return LoadProgress("teacher", 1, 2, passed_s, 10.0, 1, 1, done=done)


def test_before_there_is_a_plan_nothing_is_said():
    assert told((0, StageStarted("data")), (1, "a line")).at(5) is None


def test_what_has_passed_is_not_left():
    time_left = told((0, ScenarioStarted(PLAN)), (0, StageStarted("build")))
    assert time_left.at(0) == Estimate(67.0)
    assert time_left.at(30).left_s == pytest.approx(37.0)
    assert time_left.at(50).left_s == pytest.approx(27.0 + 5.0), "overdue, a tenth of what it took is added"


def test_a_machine_at_half_its_pace_is_followed_but_traffic_is_not_stretched():
    time_left = told((0, ScenarioStarted(PLAN)), (0, StageStarted("build")), (80, StageDone("build", 80.0)))
    assert time_left.at(80).left_s == pytest.approx(20.0 + (6.0 + 1.0) * 90 / 50)


def test_a_load_test_is_followed_by_where_it_is():
    events = [(0, ScenarioStarted(PLAN)), (0, StageStarted("build")), (40, StageDone("build", 40.0))]
    events += [(40, StageStarted("load")), (52, segment(2.0))]
    assert told(*events).at(53).left_s == pytest.approx(20 - 3 + 1 + 1)
    events += [(60, segment(10.0, done=True)), (66, segment(5.0))]
    assert told(*events).at(66).left_s == pytest.approx(5 + 1 + 1)


def test_a_load_stage_of_several_tests_is_taken_as_a_whole():
    plan = Plan("feed", (PlannedStage("load", 100.0, traffic_s=94.0),))
    time_left = told((0, ScenarioStarted(plan)), (0, StageStarted("load")), (30, segment(9.0)))
    assert time_left.at(30) == Estimate(70.0)


def test_a_stage_of_unknown_length_is_named_until_it_counts():
    plan = Plan("feed", (PlannedStage("ranker", None), PlannedStage("engines", None), PlannedStage("report", 1.0)))
    time_left = told((0, ScenarioStarted(plan)), (2, StageStarted("ranker")))
    assert time_left.at(5) == Estimate(1.0, ("ranker", "engines"))
    time_left.take(Count("trees", 50, 200), 12)
    assert time_left.at(12) == Estimate(31.0, ("engines",))
    assert str(time_left.at(12)) == "about 31 s left and what is not known: engines"


def test_a_suite_counts_what_is_yet_to_come():
    other = Plan("other", (PlannedStage("build", None), PlannedStage("report", 2.0)))
    time_left = told((0, SuiteStarted((PLAN, other))))
    assert time_left.at(0) == Estimate(69.0, ("other: build",))
    time_left.take(ScenarioStarted(PLAN), 1)
    time_left.take(StageStarted("build"), 1)
    time_left.take(ScenarioDone("feed", "failed", "run"), 30)
    assert time_left.at(30) == Estimate(2.0, ("other: build",))


def test_a_recorded_run_is_told_within_a_fifth_at_every_moment():
    """Trained, compressed and compiled anew, on a machine that others used too."""
    replay = replayed(recorded(Path(__file__).with_name("recorded-progress.jsonl")))
    assert len(replay.at_s) > 100
    assert replay.known.all()
    assert replay.right.all(), (replay.said_s - replay.left_s)[~replay.right]
