"""A suite that is killed outright goes on where it was, and repeats no scenario that it had finished."""

import json
import signal

import pytest
from click.testing import CliRunner

from harness.cli import harness

QUICK = {"engine": {"kind": "fake", "mean_ms": 1}, "traffic": {"window_s": 1, "warm_up_s": 0.2}}


@pytest.mark.usefixtures("no_orphans")
def test_a_killed_suite_resumes_without_repeating_finished_scenarios(cli, monkeypatch):
    cli.scenario("first", **QUICK)
    cli.scenario("second", **QUICK)
    (cli.root / "both.yaml").write_text("suite: both\nscenarios: [first.yaml, second.yaml]\n")
    process = cli.start("run", "both.yaml", "--json")
    for line in process.stderr:
        event = json.loads(line)
        if event["event"] == "stage_started" and cli.runs("second"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    (finished,), (cut_short,) = cli.runs("first"), cli.runs("second")
    assert not (cut_short / "result.json").exists()
    kept = (finished / "samples.npz").read_bytes()

    monkeypatch.chdir(cli.root)
    planned = json.loads(CliRunner().invoke(harness, ["run", "both.yaml", "--resume", "--dry-run", "--json"]).output)
    assert planned["finished"] == ["first"]
    assert [plan["name"] for plan in planned["scenarios"]] == ["second"]
    assert len(cli.runs("second")) == 1, "a dry run makes no run directory"

    resumed = cli("run", "both.yaml", "--resume", "--json")
    assert cli.ended(resumed, 0), resumed.stderr
    told = [json.loads(line) for line in resumed.stderr.splitlines() if line.startswith("{")]
    ends = {event["name"]: event["reused"] for event in told if event["event"] == "scenario_done"}
    assert ends == {"first": True, "second": False}
    assert cli.runs("first") == [finished]
    assert (finished / "samples.npz").read_bytes() == kept
    assert len(cli.runs("second")) == 2
    assert [report["run"] for report in json.loads(resumed.stdout)["reports"]] == [
        finished.name, max(cli.runs("second")).name,
    ]  # fmt: skip
    assert list((cli.root / "results").glob("both-*.html"))
    suite = next((cli.root / "results").glob("both-*.json"))
    assert cli.ended(cli("verify", finished, max(cli.runs("second")), suite), 0), "what was published is true"
