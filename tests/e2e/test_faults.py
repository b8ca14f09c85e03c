"""Whatever goes wrong: a clear error, the right exit code, no orphans, and what was measured before is kept."""

import json
import resource
import signal
import socket
import time

import psutil
import pytest

pytestmark = pytest.mark.usefixtures("no_orphans")

LONG = {"window_s": 60, "offered_qps": 50, "n_candidates": 5}


def wait_for(process, predicate, timeout_s=90):
    """The first child (at any depth) whose command line satisfies the predicate."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                if predicate(" ".join(child.cmdline())):
                    return child
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.05)
    raise AssertionError(f"no such child; {process.communicate()}")


def under_load(process, cli):
    """The Locust process, once the judged window has begun."""
    locust = wait_for(process, lambda line: "locust" in line)
    for line in process.stderr:
        if "compressed" in line and "/60" in line:
            return locust
    raise AssertionError("the load test never began")


def test_interrupted_under_load(cli):
    process = cli.start("run", cli.scenario(traffic=LONG))
    under_load(process, cli)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    result = cli.result()
    assert (result["verdict"]["status"], result["measurements"]["complete"]) == ("INVALID", False)
    assert len(result["measurements"]["ledger"]) == 2 - 1
    assert (cli.only_run() / "load" / "samples.npz").is_file()


def test_interrupted_while_training(cli):
    process = cli.start("run", cli.scenario(ranker={"n_trees": 5000}, data={"train_groups": 800}))
    for line in process.stderr:
        if "lightgbm" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_a_killed_server(cli):
    process = cli.start("run", cli.scenario(traffic=LONG))
    under_load(process, cli)
    wait_for(process, lambda line: "harness.serve" in line).send_signal(signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "server" in stderr
    assert "Traceback" not in stderr
    assert cli.result()["verdict"]["status"] == "INVALID"
    assert (cli.only_run() / "load" / "samples.npz").is_file()


def test_a_killed_load_process(cli):
    process = cli.start("run", cli.scenario(traffic=LONG))
    under_load(process, cli).send_signal(signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "load" in stderr
    assert "Traceback" not in stderr
    assert cli.result()["measurements"]["complete"] is False


def test_a_killed_worker_of_the_load_makes_the_run_invalid(cli):
    scenario = cli.scenario(load={"processes": 2}, traffic={"window_s": 6, "offered_qps": 50, "n_candidates": 5})
    process = cli.start("run", scenario)
    locust = wait_for(process, lambda line: "locust" in line)
    for line in process.stderr:
        if "compressed" in line and "/6" in line:
            break
    locust.children()[-1].kill()
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 4, stderr
    assert "Traceback" not in stderr
    result = cli.result()
    assert result["verdict"]["status"] == "INVALID"
    assert "worker-lost" in {finding["name"] for finding in result["verdict"]["findings"] if finding["hard"]}
    assert 0 < result["measures"][0]["n_ok"] < result["measurements"]["load"]["n_planned"]


def test_the_harness_itself_is_killed(cli):
    process = cli.start("run", cli.scenario(traffic=LONG))
    under_load(process, cli)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=120)


def test_a_port_in_use(cli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = cli("run", cli.scenario(serve={"port": port}))
    assert done.returncode == 3
    assert f"127.0.0.1:{port}" in done.stderr
    assert cli.result()["measurements"]["ledger"]


@pytest.mark.parametrize("limit_kb", [4, 60])
def test_a_full_disk(cli, limit_kb, tmp_path):
    cli.cache = tmp_path / "cache"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kb * 1024,) * 2)

    done = cli.apart("run", cli.scenario(ranker={"n_trees": 40, "n_leaves": 32}), preexec_fn=limit)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "->" in done.stderr


def test_an_output_folder_that_can_not_be_made(cli):
    (cli.root / "taken").write_text("a file")
    done = cli("run", cli.scenario(), "--out", "taken/results")
    assert done.returncode == 3
    assert "--out" in done.stderr


def test_one_failing_scenario_does_not_stop_the_others(cli):
    good = cli.scenario("good")
    bad = cli.scenario("bad", ranker={"kind": "file", "path": "nowhere.txt"})
    done = cli("run", bad, good)
    assert done.returncode == 3, done.stderr
    assert "nowhere.txt" in done.stderr
    assert [o["status"] for o in cli.result("good")["verdict"]["objectives"]] == ["PASS"]
    kept = json.loads((cli.only_run("bad") / "measurements.json").read_text())
    assert "nowhere.txt" in kept["failure"]
