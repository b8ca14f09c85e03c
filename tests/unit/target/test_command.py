"""A command is started, watched, and ended with everything it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.errors import TargetError
from harness.target.command import Command

# starts a child that ignores SIGTERM and a grandchild in a session of its own; prints all three pids; stays
FAMILY = """
import os, signal, subprocess, sys, time
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, text=True)
child.stdout.readline()
lost = subprocess.run(["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo $!"], capture_output=True, text=True)
print("family", os.getpid(), child.pid, lost.stdout.strip(), flush=True)
time.sleep(600)
"""


def family(log: Path) -> list[psutil.Process]:
    """The processes of FAMILY, once it has said that they are there."""
    while not (whole := [line for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]):
        time.sleep(0.02)
    return [psutil.Process(int(pid)) for pid in whole[0].split()[1:]]


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=20)[1]


def test_it_ends_with_all_its_descendants(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "target.log"
    with Command([sys.executable, "-c", FAMILY], log, ()) as command:
        below = family(log)
        assert len(below) == 3
        command.check()
    assert gone(below)


def test_it_ends_when_the_harness_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from harness.target.command import Command\n"
        f"with Command([sys.executable, '-c', {FAMILY!r}], Path('target.log'), ()):\n    time.sleep(600)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    (tmp_path / "target.log").touch()
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=environment)
    below = family(tmp_path / "target.log")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone(below)


def until_it_ends(command: Command) -> TargetError:
    while True:
        try:
            command.check()
        except TargetError as error:
            return error
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ([sys.executable, "-c", "print('no model here'); raise SystemExit(3)"], "exit code 3\n  | no model here"),
        (["no-such-program-here", "serve"], "can't start no-such-program-here: No such file or directory"),
    ],
)
def test_one_that_ends_by_itself_is_an_error_with_its_last_words(tmp_path: Path, program: list[str], said: str) -> None:
    with Command(program, tmp_path / "target.log", ()) as command:
        error = until_it_ends(command)
    assert said in str(error)
    assert "target.log" in str(error)


def test_what_it_leaves_behind_when_it_ends_is_ended_too(tmp_path: Path) -> None:
    log = tmp_path / "target.log"
    with Command(["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo family $!"], log, ()) as command:
        until_it_ends(command)
    pid = int(log.read_text().split()[1])
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_its_environment_is_that_of_the_harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    log = tmp_path / "target.log"
    with Command(["sh", "-c", 'echo "[$PYTHONPATH]"'], log, ()) as command:
        until_it_ends(command)
    assert log.read_text().splitlines()[0] == "[/somewhere]"


def test_it_runs_on_the_cores_it_is_given(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    log = tmp_path / "target.log"
    with Command([sys.executable, "-c", FAMILY], log, [core]):
        assert {tuple(process.cpu_affinity()) for process in family(log)} == {(core,)}
