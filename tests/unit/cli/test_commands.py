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
