"""A machine as its kernel would describe it: real files below a folder."""

import json
from pathlib import Path

import pytest

from harness.doctor.kernel import Kernel
from harness.environment import identity
from harness.records import Calibration
from harness.watch import proc

QUIET = {
    "proc/stat": "cpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n",
    "proc/meminfo": "MemTotal:       16000000 kB\nMemAvailable:   12000000 kB\n",
    "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "proc/pressure/io": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "proc/self/cgroup": "0::/box\n",
    "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0\n",
    "sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "1\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/smt/active": "0\n",
    "sys/devices/system/cpu/cpufreq/boost": "0\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
}


class Machine:
    """A quiet one of two cores, until `says` changes what its files hold."""

    def __init__(self, root):
        self.root, self.kernel = root, Kernel(root)
        for name, text in QUIET.items():
            self.says(name, text)

    def says(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def a_second_with(self, *, idle_ticks=(100, 100), stolen_ticks=0, **waited_s):
        """A pause of one second in which the cores were idle and tasks waited so long."""

        def pause():
            first, second = idle_ticks
            self.says("proc/stat", f"cpu0 0 0 0 {first} 0 0 0 {stolen_ticks} 0 0\ncpu1 0 0 0 {second} 0 0 0 0 0 0\n")
            for resource, seconds in waited_s.items():
                self.says(f"proc/pressure/{resource}", f"some avg10=0 avg60=0 avg300=0 total={seconds * 1e6:.0f}\n")
            return 1.0

        return pause


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setattr(proc, "PROC", tmp_path / "proc")
    monkeypatch.setattr(proc, "CGROUPS", tmp_path / "sys/fs/cgroup")
    monkeypatch.setattr(proc, "_TICKS_PER_S", 100)
    return Machine(tmp_path)


@pytest.fixture
def calibration_of():
    """`calibration_of(created, cores=2)`: the sample report's calibration, as if of this machine, then."""
    reports = Path(__file__).resolve().parents[2] / "sample_report" / "reports"
    found = (json.loads(path.read_text())["measurements"]["calibration"] for path in sorted(reports.glob("*.json")))
    sample = next(filter(None, found))

    def calibration(created, **machine):
        return Calibration.model_validate({**sample, "created": created, "machine": identity() | machine})

    return calibration
