"""Which scenarios a resumed suite leaves out: told from run directories alone."""

import json
import os

import pytest

from harness.cache import key_of
from harness.pipeline.build import code_digest
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


def ran(root, scenario, *, complete=True, judged=True, code=None):
    run_dir = RunDir.create(root, scenario)
    measured = Measurements(
        tool_version="0", created="2026-01-02T03:04:05+00:00", command="", scenario=resolved(scenario),
        environment={"code": code or code_digest(["."])}, complete=complete,
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


@pytest.mark.parametrize("how", [{"complete": False}, {"judged": False}, {"code": "of before"}])
def test_an_unfinished_run_and_one_by_other_code_do_not_count(scenario, tmp_path, how):
    ran(tmp_path, scenario, **how)
    assert finished([scenario], tmp_path) == {}


def test_another_scenario_or_a_changed_file_is_another_question(scenario, model, tmp_path):
    ran(tmp_path, scenario)
    assert finished([scenario_of(model, sla={"p99_ms": 24})], tmp_path) == {}
    os.utime(model)
    assert finished([scenario], tmp_path) == {}


def test_a_run_whose_engine_was_chosen_by_it_is_found_by_what_was_asked(model, tmp_path):
    asked = scenario_of(model, engine="auto", sla={"p99_ms": 25})
    run_dir = ran(tmp_path, asked)
    result = run_dir.path / "result.json"
    content = json.loads(result.read_text())
    content["measurements"]["scenario"]["engine"] = {"kind": "gtil"}
    result.write_text(json.dumps(content))
    assert key_of(resolved(asked))[:8] in run_dir.path.name
    assert list(finished([asked], tmp_path)) == ["s"]
