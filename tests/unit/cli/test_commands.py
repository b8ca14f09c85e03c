import json

import pytest
from click.testing import CliRunner

from harness.cli import harness
from harness.cli.run import exit_code
from harness.records import Measurements, Report, Verdict, VerdictStatus


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(harness, arguments, standalone_mode=False)


def test_list_shows_every_kind_or_one(invoke):
    everything = invoke("list").output
    for word in ("datasets", "synthetic_feed", "engines", "tl2cgen", "methods", "prune_leaves", "formats", "html"):
        assert word in everything
    engines = invoke("list", "engines").output
    assert "gtil" in engines
    assert "synthetic_feed" not in engines
    assert "native" in json.loads(invoke("list", "engines", "--json").output)["engines"]


def test_schema_is_a_json_schema(invoke):
    assert "$schema" in json.loads(invoke("schema").output)


def test_init_writes_a_scenario_that_validates_and_overwrites_nothing(invoke, tmp_path):
    assert "wrote mine.yaml" in invoke("init", "mine.yaml").output
    assert "valid" in invoke("validate", "mine.yaml").output
    (tmp_path / "mine.yaml").write_text("precious")
    assert "exists already" in str(invoke("init", "mine.yaml").exception)
    assert (tmp_path / "mine.yaml").read_text() == "precious"
    invoke("init", "mine.yaml", "--force")
    assert "sla:" in (tmp_path / "mine.yaml").read_text()


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["PASS"], 0),
        (["PASS", "FAIL"], 1),
        (["INCONCLUSIVE"], 4),
        (["PASS", "INVALID"], 4),
        (["FAIL", "INVALID"], 1),
        ([], 0),
    ],
)
def test_exit_codes(statuses, code):
    measured = Measurements(tool_version="0", created="", command="", scenario={}, environment={})
    reports = [
        Report(name="x", measurements=measured, verdict=Verdict(status=VerdictStatus(status))) for status in statuses
    ]
    assert exit_code(reports) == code


def test_calibrate_takes_one_scenario(invoke, tmp_path):
    (tmp_path / "two.yaml").write_text("name: s\nsla: {p99_ms: 25}\nmatrix: {traffic.offered_qps: [50, 100]}\n")
    failed = invoke("calibrate", "two.yaml")
    assert "holds 2 scenarios; one is needed" in str(failed.exception)
    assert "Usage" in invoke("calibrate", "--help").output


def dry_run(invoke, tmp_path, monkeypatch, *arguments):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "s.yaml").write_text("name: s\nsla: {p99_ms: 25}\nmatrix: {traffic.offered_qps: [50, 100]}\n")
    before = set(tmp_path.rglob("*"))
    done = invoke("run", "s.yaml", "--dry-run", *arguments)
    assert set(tmp_path.rglob("*")) == before, "a dry run makes nothing"
    return done


def test_a_dry_run_prints_the_plan_with_its_times(invoke, tmp_path, monkeypatch):
    lines = dry_run(invoke, tmp_path, monkeypatch).output.splitlines()
    assert lines[0] == "s--offered_qps-50"
    assert lines[1].split() == ["data", "not", "known"]
    load = next(line for line in lines if line.split()[:1] == ["load"])
    assert load.endswith("1 x (10 s window + 2 x 2 s warm-up)")
    assert lines[-1].startswith("in all: 2 scenarios, about")


def test_a_dry_run_is_json_too(invoke, tmp_path, monkeypatch):
    plan = json.loads(dry_run(invoke, tmp_path, monkeypatch, "--json").output)
    assert [scenario["name"] for scenario in plan["scenarios"]] == ["s--offered_qps-50", "s--offered_qps-100"]
    assert plan["expected_s"] == pytest.approx(sum(scenario["expected_s"] for scenario in plan["scenarios"]))
    assert "ranker lightgbm" in plan["scenarios"][0]["unknown"]
