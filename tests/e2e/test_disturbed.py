"""A run beside a stranger that wants the generator's core: INVALID, and the reason named."""

import json
import os
import subprocess
import sys

import pytest

CPU = min(os.sched_getaffinity(0))
SPIN = f"import os; os.sched_setaffinity(0, {{{CPU}}}); print('spinning', flush=True)\nwhile True: pass"


@pytest.fixture
def stranger():
    with subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        yield
        process.kill()


@pytest.mark.alone
@pytest.mark.usefixtures("stranger", "no_orphans")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core is shared by generator and server anyway")
def test_a_busy_stranger_makes_the_run_invalid_and_judging_again_says_so_too(cli):
    done = cli.apart("run", cli.scenario(sla={"size_mb": 100}))  # here the stranger would be a child of the harness
    assert done.returncode == 4, done.stderr
    (finding,) = (f for f in cli.result()["verdict"]["findings"] if f["name"] == "foreign-cpu")
    assert finding["hard"]
    assert finding["figure"] > finding["threshold"] == 0.05
    log = cli.result()["measurements"]["load"]["machine"]
    assert log["generator_cpus"] == [CPU]
    assert len(log["end_s"]) == len(log["foreign_share"]) >= 2
    again = cli("judge", cli.only_run(), "--json")
    assert again.returncode == 4
    assert finding in json.loads(again.stdout)["verdict"]["findings"]


@pytest.mark.usefixtures("no_orphans")
def test_what_is_invalid_by_the_machine_is_run_again_and_the_last_attempt_counts(cli):
    """No machine sends within a tenth of a microsecond."""
    scenario = cli.scenario(
        "never", engine={"kind": "fake", "mean_ms": 1}, traffic={"window_s": 1}, sla={"p50_ms": 1e-3}
    )
    done = cli("run", scenario, "--attempts", 2, "--json")
    assert done.returncode == 4, done.stderr
    first, last = cli.runs("never")
    assert json.loads(done.stdout)["run"] == last.name
    assert json.loads((first / "result.json").read_text())["verdict"]["status"] == "INVALID"
    (line,) = (line for line in done.stderr.splitlines() if "attempt 2 of 2" in line)
    assert "send-lag" in line
