"""What lies in a folder of results, and what is under way there, from files alone."""

import json
import os

from harness.events import LoadProgress, Plan, PlannedStage, ScenarioDone, ScenarioStarted, StageStarted, to_data
from harness.history.listing import listed, live_runs
from harness.history.live import SILENT_S

PLAN = Plan("mine", (PlannedStage("build", 3.0), PlannedStage("load", 60.0)), {"p99": 25.0})
LOAD = LoadProgress("compressed", 1, 2, 12.0, 30.0, 2400, 2399, {"p50": 3.1, "p99": None})


def tell(folder, *events):
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(to_data(event, 2.0 * number)) for number, event in enumerate(events)]
    (folder / "progress.jsonl").write_text("\n".join(lines) + "\n")


def test_pages_are_listed_newest_first_with_their_verdicts(tmp_path, add_run):
    for day in (1, 2):
        (add_run(day).path / "report.html").write_text("")
    (tmp_path / "bench-1").mkdir()
    (tmp_path / "bench-1" / "bench.html").write_text("")
    (tmp_path / "suite-1.html").write_text("")
    (tmp_path / "suite-1.json").write_text("")
    (tmp_path / "stray.html").write_text("")
    found = {entry.name: entry for entry in listed(tmp_path).entries}
    assert found.keys() == {"feed-25ms-2026-01-01", "feed-25ms-2026-01-02", "bench-1", "suite-1"}
    assert found["feed-25ms-2026-01-02"].status == "PASS"
    assert found["feed-25ms-2026-01-02"].path == "feed-25ms-2026-01-02/report.html"
    assert (found["bench-1"].kind, found["suite-1"].kind) == ("engines", "suite")
    names = [entry.name for entry in listed(tmp_path).entries]
    assert names.index("feed-25ms-2026-01-02") < names.index("feed-25ms-2026-01-01")


def test_a_run_under_way_tells_its_stage_its_line_and_its_latency(tmp_path):
    tell(tmp_path / "run-1", ScenarioStarted(PLAN), StageStarted("build"), "compiling", StageStarted("load"), LOAD)
    with (tmp_path / "run-1" / "progress.jsonl").open("a") as file:
        file.write('{"at_s": 9, "event"')
    (live,) = live_runs(tmp_path)
    assert (live.run, live.name, live.stage, live.silent) == ("run-1", "mine", "load", False)
    assert live.line == str(LOAD)
    assert live.share == 0.4
    assert live.latency_ms == {"p50": 3.1, "p99": None}
    assert live.since_s >= 8


def test_a_run_that_ended_or_has_a_page_is_not_under_way(tmp_path):
    tell(tmp_path / "ended", ScenarioStarted(PLAN), ScenarioDone("mine", "PASS", "ended"))
    tell(tmp_path / "published", ScenarioStarted(PLAN))
    (tmp_path / "published" / "report.html").write_text("")
    tell(tmp_path / "damaged")
    (tmp_path / "damaged" / "progress.jsonl").write_text('[1]\n"x"\n{"at_s": 1, "event": "what"}\n')
    assert live_runs(tmp_path) == ()


def test_a_run_that_tells_nothing_for_long_is_silent(tmp_path):
    tell(tmp_path / "killed", ScenarioStarted(PLAN), StageStarted("build"))
    file = tmp_path / "killed" / "progress.jsonl"
    then = file.stat().st_mtime - SILENT_S - 1
    os.utime(file, (then, then))
    assert live_runs(tmp_path)[0].silent


def test_of_long_progress_the_beginning_and_the_end_are_read(tmp_path):
    tell(tmp_path / "long", ScenarioStarted(PLAN), StageStarted("load"), *(["words " * 20] * 3000), LOAD)
    (live,) = live_runs(tmp_path)
    assert (live.name, live.stage, live.line) == ("mine", "load", str(LOAD))
