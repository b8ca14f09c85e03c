import json

import pytest

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
    duration,
    from_data,
    stage,
    to_data,
)

PLAN = Plan("feed", (PlannedStage("data", 1.5), PlannedStage("load", None, note="2 x 5 s")), {"p99": 25.0})
LOAD = LoadProgress("teacher", 1, 2, 3.2, 5.0, 150, 148, {"p50": 1.234, "p99": None}, 8.0)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ("any text", "any text"),
        (SuiteStarted((PLAN, PLAN)), "2 scenarios, about 3.0 s and what is not known: feed: load, feed: load"),
        (
            SuiteStarted((PLAN,), ("old",)),
            "1 scenarios, 1 finished before, about 1.5 s and what is not known: feed: load",
        ),
        (ScenarioStarted(PLAN), "feed: about 1.5 s and what is not known: load"),
        (StageStarted("ranker lightgbm"), "ranker lightgbm"),
        (Count("epoch", 3, 10, "NDCG@10 0.5"), "epoch 3/10, NDCG@10 0.5"),
        (LOAD, "teacher, round 1/2: 3/5 s, 150 due, p50 1.23 ms, p99 not answered"),
        (LoadProgress("teacher", 1, 1, 1, 5, 9, 9), "teacher, round 1/1: 1/5 s, 9 due, warm-up"),
        (LoadProgress("t", 2, 2, 5, 5, 9, 8, done=True), "t, round 2/2: done, 8 of 9 requests answered"),
        (StageDone("build", 0.1, cached=True), "build: from the cache in 0.1 s"),
        (ScenarioDone("feed", "PASS", "feed-1"), "feed: PASS"),
        (ScenarioDone("feed", "FAIL", "feed-1", reused=True), "feed: FAIL, finished before"),
    ],
)
def test_every_event_is_a_line_and_comes_back_from_json(event, line):
    assert str(event) == line
    text = json.dumps(to_data(event, 1.23456), allow_nan=False)
    assert from_data(json.loads(text)) == (1.235, event)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (65.4, "1 min 05 s"), (4020, "1 h 07 min")]
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_a_stage_that_fails_is_never_told_to_be_done():
    told = []
    with stage(told.append, "data") as outcome:
        outcome.cached = True
    with pytest.raises(ValueError, match="broken"), stage(told.append, "build"):
        raise ValueError("broken")
    assert [type(event).__name__ for event in told] == ["StageStarted", "StageDone", "StageStarted"]
    assert told[1].cached
