"""What the kernel's files say, as recorded on machines of both kinds of control groups, and of this machine."""

import math
import os
import subprocess
import sys

import pytest

from harness.watch import proc

STAT = """cpu  300 0 100 1000 50 0 9 30 0 0
cpu0 100 0 50 600 10 1 4 20 0 0
cpu1 200 0 50 400 40 2 5 10 0 0
intr 5 0 0
"""
PRESSURE = "some avg10=1.43 avg60=0.75 avg300=0.25 total=3684476\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=12\n"


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """`kernel({"proc/stat": ...})`: files in place of the kernel's."""
    monkeypatch.setattr(proc, "PROC", tmp_path / "proc")
    monkeypatch.setattr(proc, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(proc, "_TICKS_PER_S", 100)

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def test_times_of_the_cores_asked_for(kernel):
    kernel({"proc/stat": STAT})
    assert proc.core_times([0]) == (6.15, 0.2)
    assert proc.core_times([0, 1]) == pytest.approx((10.62, 0.3))
    assert proc.core_times([0, 7]) is None
    assert proc.core_times([]) is None


def test_pressure_is_the_time_some_task_waited(kernel):
    kernel({"proc/pressure/cpu": PRESSURE})
    found = proc.pressure_s()
    assert found["cpu"] == pytest.approx(3.684476)
    assert math.isnan(found["memory"])
    assert math.isnan(found["io"])


def test_pressure_on_our_own_control_group_goes_before_the_machines(kernel):
    kernel({"proc/pressure/cpu": PRESSURE, "proc/self/cgroup": "0::/a\n", "cgroup/a/cpu.pressure": "some total=5000\n"})
    assert proc.pressure_s()["cpu"] == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("files", "expected_s"),
    [
        ({"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/cpu.stat": "usage_usec 9\nthrottled_usec 2500000\n"}, 2.5),
        ({"proc/self/cgroup": "0::/\n", "cgroup/cpu.stat": "nr_throttled 1\nthrottled_usec 1000\n"}, 0.001),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "cgroup/a/b/cpu.stat": "throttled_usec 0\n",
                "cgroup/a/cpu.stat": "throttled_usec 300000\n",
            },
            0.3,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/m\n1:cpu,cpuacct:/x\n",
                "cgroup/cpu,cpuacct/x/cpu.stat": "nr_periods 0\nthrottled_time 7000000000\n",
            },
            7.0,
        ),
        # a container: its path is that of the host, the mount begins at its own group
        ({"proc/self/cgroup": "1:cpu:/docker/c0ffee\n", "cgroup/cpu/cpu.stat": "throttled_time 5000000\n"}, 0.005),
    ],
    ids=["v2", "v2-root", "v2-parent", "v1", "v1-container"],
)
def test_time_held_back_by_a_quota(kernel, files, expected_s):
    kernel(files)
    assert proc.throttled_s() == pytest.approx(expected_s)


def test_where_there_are_no_such_files_nothing_is_known(kernel):
    kernel({})
    assert proc.core_times([0]) is None
    assert math.isnan(proc.throttled_s())
    assert math.isnan(proc.cpu_s(1))
    assert list(proc.tree(1)) == [1]
    assert all(math.isnan(value) for value in proc.pressure_s().values())


def test_a_process_and_its_descendants():
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        child.stdout.readline()
        found = list(proc.tree(os.getpid()))
        assert found[0] == os.getpid()
        assert child.pid in found
        assert len(found[found.index(child.pid) :]) >= 2
        assert proc.cpu_s(child.pid) > 0
        child.communicate("\n")
    assert child.pid not in proc.tree(os.getpid())
    assert math.isnan(proc.cpu_s(child.pid))
