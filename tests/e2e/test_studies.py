"""Capacity and comparison from the command line, with real servers and a real Locust."""

import json
import signal
import time

import pytest

from harness.samples import Samples

SLOW = {"kind": "fake", "service": "exponential", "mean_ms": 8}
FAST = {"kind": "fake", "service": "exponential", "mean_ms": 2}


def study_of(cli, name, kind):
    return cli.only_run(f"{name}-{kind}"), json.loads((cli.only_run(f"{name}-{kind}") / f"{kind}.json").read_text())


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("no_orphans")
def test_a_capacity_search_keeps_every_point_and_can_be_judged_and_reported_again(cli):
    traffic = {"offered_qps": 40, "n_candidates": 2, "warm_up_s": 0.5}
    done = cli("capacity", cli.scenario(engine=SLOW, traffic=traffic, sla={"p90_ms": 100}), "--budget-s", 20)
    assert done.returncode in (0, 4), done.stderr
    run_dir, found = study_of(cli, "tiny", "capacity")
    assert {"scenario.yaml", "measurements.json", "capacity.html", "capacity.md", "bundle"} <= {
        path.name for path in run_dir.iterdir()
    }
    rates = [point["offered_qps"] for point in found["points"]]
    assert rates[0] == 40
    disturbed = "INVALID" in [point["status"] for point in found["points"]]
    assert len(rates) > 2 or disturbed, "on a quiet machine it goes on"
    for point in found["points"]:
        samples = Samples.load(run_dir / point["samples"] / "samples.npz")
        assert len(samples.judged("compressed")) == point["measure"]["n_planned"]
        assert len(samples) == point["load"]["n_planned"]
    assert "p90 100 ms up to" in " ".join(done.stdout.split())

    before = (run_dir / "capacity.json").read_text()
    (run_dir / "capacity.html").unlink()
    judged = cli("judge", run_dir, "--json")
    assert judged.returncode == done.returncode, judged.stderr
    assert json.loads(judged.stdout)["points"] == json.loads(before)["points"]
    assert (run_dir / "capacity.html").is_file()
    assert "Capacity: tiny" in cli("report", run_dir, "--format", "markdown").stdout


@pytest.mark.usefixtures("no_orphans")
def test_an_interrupted_search_keeps_its_points(cli):
    process = cli.start("capacity", cli.scenario(engine=FAST, traffic={"n_candidates": 2, "warm_up_s": 0.2}))
    deadline = time.monotonic() + 120
    while not list(cli.root.glob("results/*/capacity.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130
    process.communicate()
    run_dir, found = study_of(cli, "tiny", "capacity")
    assert found["measurements"]["failure"] == "interrupted"
    assert len(found["points"]) >= 1
    assert "incomplete-run" in (run_dir / "capacity.md").read_text()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("no_orphans")
def test_a_slower_side_is_found_and_can_fail_the_command(cli):
    """A and B serve the same bundle behind clocks of 2 and 8 ms."""
    fast, slow = cli.scenario("fast", engine=FAST), cli.scenario("slow", engine=SLOW)
    options = ("--window-s", 4, "--rounds", 5)
    done = cli("compare", fast, slow, *options, "--fail-if-slower", "--json")
    assert cli.ended(done, 1), done.stderr
    found = json.loads(done.stdout)
    answer = "A faster" if done.returncode == 1 else "undecided"
    assert found["differences"][0]["answer"] == answer
    if answer == "A faster":  # a disturbed machine slows both sides
        assert found["differences"][0]["ratio"] > 1.5
    assert [info["engine_info"]["mean_ms"] for info in found["measurements"]["targets"]] == [2, 8]
    run_dir, _ = study_of(cli, "fast", "compare")
    samples = Samples.load(run_dir / "samples.npz")
    assert samples.targets == ("A", "B")
    for round_ in range(5):
        pair = [samples.where(samples.segment == segment) for segment in (2 * round_, 2 * round_ + 1)]
        assert {int(side.target[0]) for side in pair} == {0, 1}
        assert pair[0].due_s.tolist() == pair[1].due_s.tolist()
        assert pair[0].body.tolist() == pair[1].body.tolist()
    again = cli("judge", run_dir)
    assert f"p50: {answer}" in again.stdout
    assert "Comparison: fast" in cli("report", run_dir).stdout


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("no_orphans")
def test_a_runs_bundle_an_engine_and_a_url_can_be_compared(cli, finished):
    run_dir, scenario = finished.only_run(), cli.scenario()
    serving = cli.start("serve", run_dir / "bundle", "--engine", "gtil", "--port", 0)
    try:
        line = next(line for line in iter(serving.stderr.readline, "") if "serving" in line)
        url = next(word for word in line.split() if word.startswith("http"))
        done = cli("compare", f"{run_dir}@gtil", url, "--scenario", scenario, "--window-s", 2, "--rounds", 5, "--json")
    finally:
        serving.terminate()
        serving.communicate()
    found = json.loads(done.stdout)
    assert done.returncode in (0, 4), done.stderr
    assert [info["engine"] for info in found["measurements"]["targets"]] == ["gtil", "oip endpoint"]
    assert found["sides"]["B"] == url
    assert all(measure["n_ok"] == measure["n_planned"] > 50 for measure in found["measures"])
    assert found["n_rounds"] == 5


@pytest.mark.usefixtures("no_orphans")
def test_min_qps_above_the_offered_rate_gets_a_load_test_of_its_own(cli):
    scenario = cli.scenario(engine={"kind": "fake", "mean_ms": 1}, sla={"p50_ms": 1000, "min_qps": 90})
    done = cli("run", scenario)
    assert cli.ended(done, 0), done.stdout + done.stderr
    run_dir, result = cli.only_run(), cli.result()
    objective = next(o for o in result["verdict"]["objectives"] if o["name"] == "min_qps")
    assert objective["reason"].startswith("at 90 requests per second")
    assert objective["status"] == "PASS" or "its load test can't be trusted" in objective["reason"]
    assert len(Samples.load(run_dir / "min-qps" / "samples.npz").judged("compressed")) > 100
    assert result["measures"][0]["n_planned"] < 150, "the run itself is judged at its own rate"
    assert cli("judge", run_dir).returncode == done.returncode
