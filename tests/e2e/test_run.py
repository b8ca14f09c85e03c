"""The main job from a scenario file to a report, with a real server and a real Locust."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from queues import sojourns_s

from harness.bundle import open_bundle
from harness.samples import Samples

SAVED = {"scenario.yaml", "measurements.json", "samples.npz", "result.json", "report.html", "summary.md"}


@pytest.mark.alone
@pytest.mark.usefixtures("no_orphans")
def test_from_scenario_to_report_and_again_from_the_cache(cli, finished):
    run_dir, result = finished.only_run(), finished.result()
    assert {path.name for path in run_dir.iterdir()} >= SAVED
    ledger = result["measurements"]["ledger"]
    assert [row["step"] for row in ledger] == ["lightgbm", "truncate", "quantise", "served by tl2cgen"]
    assert [row["size"]["n_trees"] for row in ledger] == [10, 5, 5, 5]
    assert all(row["engine_us"] > 0 for row in ledger)
    for target in ("teacher", "compressed"):
        measure = next(m for m in result["measures"] if m["target"] == target)
        assert measure["n_planned"] == measure["n_ok"] > 50
        assert measure["server"]["requests"] >= measure["n_ok"]
        assert measure["machine"]["n_seconds"] >= 1
        assert 0 < measure["machine"]["server_cpu_us"] < 1e6
    assert open_bundle(run_dir / "bundle").manifest.digest == ledger[-1]["digest"]

    again = cli("run", finished.root / "tiny.yaml", "--json")
    assert cli.ended(again, 0), again.stderr
    rows = json.loads(again.stdout)["measurements"]["ledger"]
    assert all(row["cached"] for row in rows)
    assert [row["digest"] for row in rows] == [row["digest"] for row in ledger]


@pytest.mark.alone
def test_judge_and_report_work_from_files_without_measuring(cli, finished):
    run_dir = Path(shutil.copytree(finished.only_run(), cli.root / "results" / "tiny-copy"))
    before = (run_dir / "samples.npz").read_bytes()
    measurements = run_dir / "measurements.json"
    content = json.loads(measurements.read_text())
    content["scenario"]["sla"]["size_mb"] = 0.0001
    measurements.write_text(json.dumps(content))
    (run_dir / "result.json").unlink()
    judged = cli("judge", run_dir)
    assert cli.ended(judged, 1)
    assert "FAIL" in judged.stdout
    assert (run_dir / "samples.npz").read_bytes() == before
    for name, mark in [("terminal", "FAIL"), ("html", "<!DOCTYPE html>")]:
        shown = cli("report", run_dir, "--format", name)
        assert shown.returncode == 0, shown.stderr
        assert mark in shown.stdout
    assert len(json.loads(cli("report", run_dir, run_dir, "--format", "json").stdout)["reports"]) == 2


def test_a_suite_runs_all_and_prints_one_table(cli):
    passes, fails = cli.scenario("passes"), cli.scenario("fails", sla={"size_mb": 0.0001})
    suite = cli.root / "both.yaml"
    suite.write_text(f"suite: both\nscenarios: [{passes.name}, {fails.name}]\n")
    done = cli("run", suite)
    assert cli.ended(done, 1), done.stderr
    for name, status in (("passes", "PASS"), ("fails", "FAIL")):
        assert name in done.stdout
        assert status in [objective["status"] for objective in cli.result(name)["verdict"]["objectives"]]
    assert {p.suffix for p in (cli.root / "results").glob("both-*.*")} == {".html", ".md", ".json", ".xml"}


@pytest.mark.slow
@pytest.mark.alone
def test_a_known_service_time_agrees_with_queueing_theory_and_gets_both_verdicts(cli, ends_in):
    """Requests that came when they did and were served so long, one at a time, have known latencies.

    What HTTP costs on this machine is read off the same run: answers to requests that waited leave the server one
    service apart, and requests that come after `idle_ms` of nothing take a service and the way there and back.
    """
    declared_ms, idle_ms = 5, 30
    engine = {"kind": "fake", "service": "constant", "mean_ms": declared_ms}
    traffic = {"offered_qps": 50, "n_candidates": 1, "window_s": 12}
    scenario = cli.scenario("met", engine=engine, traffic=traffic, sla={"p50_ms": 10, "p95_ms": 30})
    met, run_dir, report = cli.run_undisturbed(scenario)
    assert met.returncode == 0, met.stderr
    samples = Samples.load(run_dir / "samples.npz")
    due_ms, done_ms = samples.due_s * 1e3, samples.done_s * 1e3
    gap_ms = np.diff(due_ms, prepend=-idle_ms)
    waited = np.flatnonzero(due_ms[1:] < done_ms[:-1] - 1) + 1
    service_ms = float(np.median(done_ms[waited] - done_ms[waited - 1]))
    alone_ms = float(np.median(samples.latency_ms[gap_ms >= idle_ms]))
    assert declared_ms < service_ms < alone_ms < 1.5 * declared_ms
    queue_ms = sojourns_s(gap_ms, np.full(gap_ms.size, service_ms))[samples.in_window] + alone_ms - service_ms
    for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        assert report["measures"][0]["latency_ms"][name] == pytest.approx(np.quantile(queue_ms, q), rel=0.1), name
    measured = json.loads((run_dir / "measurements.json").read_text())
    measured["scenario"]["sla"] = {"p50_ms": 4.9}
    (run_dir / "measurements.json").write_text(json.dumps(measured))
    missed = json.loads(cli("judge", run_dir, "--json").stdout)
    assert [objective["status"] for objective in missed["verdict"]["objectives"]] == ["FAIL"]
    ends_in(missed, "FAIL")
