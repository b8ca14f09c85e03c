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
