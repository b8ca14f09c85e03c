"""The monitor on this machine: a stranger's CPU time is foreign, our processes' is not."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from harness.records import MachineLog
from harness.watch import proc
from harness.watch.monitor import Monitor

SPIN = "import os\nos.sched_setaffinity(0, {%d})\nprint(os.getpid(), flush=True)\nwhile True: pass"
STRANGER = "import os\nif os.fork():\n    os._exit(0)\n" + SPIN
CPU = min(os.sched_getaffinity(0))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's files are Linux's")


@pytest.fixture
def stranger() -> Iterator[int]:
    """A busy process on CPU that does not descend from this one."""
    with subprocess.Popen([sys.executable, "-c", STRANGER % CPU], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.wait()
        yield pid
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def spinning() -> Iterator[subprocess.Popen]:
    """A busy child of this process on CPU."""
    with subprocess.Popen([sys.executable, "-c", SPIN % CPU], stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        yield child
        child.kill()


def watched(monitor: Monitor, n_rows: int):
    """The log once it has some whole rows."""
    for _ in range(n_rows):
        before = monitor._before
        while monitor._before is before:
            time.sleep(0.05)
            monitor.look()
    return monitor.log()


def test_each_row_is_in_the_journal_at_once(tmp_path) -> None:
    journal = tmp_path / "load" / "machine.jsonl"
    log = watched(Monitor({"compressed": ()}, (CPU,), (CPU,), journal), 2)
    lines = [MachineLog.model_validate_json(line) for line in journal.read_text().splitlines()]
    assert len(lines) >= 2
    assert tuple(line.end_s[0] for line in lines) == log.end_s
    assert tuple(line.steal_share[0] for line in lines) == log.steal_share
    assert {line.started for line in lines} == {log.started}


def test_a_busy_stranger_on_our_core_is_foreign(stranger: int) -> None:
    monitor = Monitor({}, (CPU,), (CPU,))
    before_s = proc.cpu_s(stranger)
    log = watched(monitor, 2)
    used_s = proc.cpu_s(stranger) - before_s
    foreign_s = sum(share * s for share, s in zip(log.foreign_share, log.duration_s, strict=True))
    assert used_s > 0
    assert foreign_s > 0.7 * used_s - 0.05


def test_what_our_own_processes_use_is_not_foreign() -> None:
    monitor = Monitor({}, (CPU,), (CPU,))
    with subprocess.Popen([sys.executable, "-c", SPIN % CPU], stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        log = watched(monitor, 2)
        child.kill()
    (shares,) = log.generator_cpu_share  # started while watching: a process of the load generator
    assert max(shares) > 0.1
    for foreign, own in zip(log.foreign_share[1:], shares[1:], strict=True):
        assert foreign <= 1.06 - own


def test_the_time_of_a_server_is_its_own_column(spinning: subprocess.Popen) -> None:
    monitor = Monitor({"compressed": (spinning.pid,), "teacher": ()}, (CPU,), (CPU,))
    before_s = proc.cpu_s(spinning.pid)
    log = watched(monitor, 2)
    used_s = proc.cpu_s(spinning.pid) - before_s
    assert sum(log.server_cpu_s["compressed"]) == pytest.approx(used_s, abs=0.1)
    assert sum(log.server_cpu_s["teacher"]) == 0
    assert log.generator_cpu_share == ()


def test_a_second_in_which_a_process_of_ours_ended_accuses_nobody(spinning: subprocess.Popen) -> None:
    monitor = Monitor({"compressed": (spinning.pid,)}, (CPU,), (CPU,))
    spinning.kill()
    spinning.wait()
    log = watched(monitor, 2)
    assert math.isnan(log.foreign_share[0])
    assert not math.isnan(log.foreign_share[1])


def test_columns_are_of_equal_length_and_rows_follow_one_another() -> None:
    started_s = time.monotonic()
    log = watched(Monitor({"compressed": ()}, (CPU,), ()), 3)
    n = len(log.end_s)
    assert n >= 3
    columns = [
        log.duration_s, log.steal_share, log.foreign_share, log.throttled_share,
        *log.pressure_share.values(), *log.generator_cpu_share, *log.server_cpu_s.values(),
    ]  # fmt: skip
    assert {len(column) for column in columns} == {n}
    assert started_s <= log.end_s[0] - log.duration_s[0] + 0.001
    for previous, end, duration in zip(log.end_s, log.end_s[1:], log.duration_s[1:], strict=False):
        assert previous == pytest.approx(end - duration, abs=0.001)


def test_without_the_kernels_files_there_is_no_log(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(proc, "PROC", tmp_path)
    assert watched(Monitor({}, (CPU,), ()), 1) is None
