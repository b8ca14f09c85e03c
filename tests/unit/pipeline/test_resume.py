"""Which scenarios a resumed suite leaves out: told from run directories alone."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from harness.cache import key_of
from harness.pipeline.build import code_digest
from harness.pipeline.inputs import named_files, newest_s
from harness.pipeline.resume import finished
from harness.pipeline.run_dir import RunDir
from harness.records import Measurements, Report, Verdict, VerdictStatus
from harness.scenario import Scenario, resolved


def scenario_of(path, **changes):
    return Scenario.model_validate({"name": "s", "ranker": {"kind": "file", "path": str(path)}, **changes})


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.txt"
    path.write_text("a model")
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def scenario(model):
    return scenario_of(model, sla={"p99_ms": 25})


SOON = datetime.now(UTC) + timedelta(hours=1)
"""When runs of these tests begin: after the files of the tests are in place."""


def ran(root, scenario, *, complete=True, judged=True, **environment):
    run_dir = RunDir.create(root, scenario)
    measured = Measurements(
        tool_version="0", created=SOON.isoformat(timespec="seconds"), command="", scenario=resolved(scenario),
        environment={"code": code_digest(["."]), **environment}, complete=complete,
    )  # fmt: skip
    if judged:
        report = Report(name="s", measurements=measured, verdict=Verdict(status=VerdictStatus.FAIL))
        run_dir.write("result.json", report.model_dump_json())
    return run_dir


def test_a_complete_run_counts_whatever_its_verdict(scenario, tmp_path):
    assert finished([scenario], tmp_path) == {}
    own = ran(tmp_path, scenario)
    found, report = finished([scenario], tmp_path)["s"]
    assert found == own
    assert report.verdict.status is VerdictStatus.FAIL


@pytest.mark.parametrize(
    "how",
    [
        {"complete": False},
        {"judged": False},
        {"code": "of before"},
        {"cpu": "another"},
        {"cores": 1000},
        {"versions": {"lightgbm": "0"}},
    ],
)
def test_an_unfinished_run_and_one_by_other_code_or_elsewhere_do_not_count(scenario, tmp_path, how):
    ran(tmp_path, scenario, **how)
    assert finished([scenario], tmp_path) == {}


def test_another_scenario_or_a_changed_file_is_another_question(scenario, model, tmp_path):
    ran(tmp_path, scenario)
    assert finished([scenario_of(model, sla={"p99_ms": 24})], tmp_path) == {}
    os.utime(model, (SOON.timestamp() + 9,) * 2)
    assert finished([scenario], tmp_path) == {}


def test_a_file_that_was_put_in_place_with_an_old_time_is_new(scenario, model, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("another model")
    os.utime(other, (1e9, 1e9))
    other.replace(model)
    assert model.stat().st_mtime == 1e9
    assert newest_s(scenario) >= model.stat().st_ctime


def test_folders_of_any_name_are_looked_into(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "ratings"
    folder.mkdir()
    (folder / "a.csv").write_text("x")
    assert [path.name for path in named_files({"path": "ratings", "n": 3, "no": "\0"})] == ["a.csv"]
    asked = scenario_of("ratings", sla={"p99_ms": 25})
    os.utime(folder, (SOON.timestamp(),) * 2)
    assert newest_s(asked) == SOON.timestamp()


def test_a_run_whose_engine_was_chosen_by_it_is_found_by_what_was_asked(model, tmp_path):
    asked = scenario_of(model, engine="auto", sla={"p99_ms": 25})
    run_dir = ran(tmp_path, asked)
    result = run_dir.path / "result.json"
    content = json.loads(result.read_text())
    content["measurements"]["scenario"]["engine"] = {"kind": "gtil"}
    result.write_text(json.dumps(content))
    assert key_of(resolved(asked))[:8] in run_dir.path.name
    assert list(finished([asked], tmp_path)) == ["s"]
