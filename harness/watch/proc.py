"""What Linux says of time: cores, processes, pressure and throttling. Everything is a counter since some start.

A file that is absent (another system, an older kernel, pressure switched off) reads as NaN or as nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
RESOURCES = ("cpu", "memory", "io")

_IDLE, _IOWAIT, _IRQ, _SOFTIRQ, _STEAL = 3, 4, 5, 6, 7
_UTIME, _STIME = 11, 12  # of /proc/PID/stat, counted after the command's name
_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class CoreTimes(NamedTuple):
    """Seconds of some cores together: not in user or system mode (idle, waiting for I/O, interrupts); stolen."""

    rest_s: float
    steal_s: float


def core_times(cpus: Iterable[int]) -> CoreTimes | None:
    """Times of the given cores; None where the kernel does not tell.

    Time idle is exact in kernels that stop the tick of an idle core, time in user or system mode only sampled: so the
    latter is best had as what is left of the wall clock.
    """
    wanted = {f"cpu{cpu}" for cpu in cpus}
    lines = (line.split() for line in text_of(PROC / "stat").splitlines() if line.startswith("cpu"))
    rows = [[int(ticks) for ticks in fields] for name, *fields in lines if name in wanted]
    if len(rows) < len(wanted) or not wanted:
        return None
    rest = sum(row[_IDLE] + row[_IOWAIT] + row[_IRQ] + row[_SOFTIRQ] for row in rows)
    return CoreTimes(rest / _TICKS_PER_S, sum(row[_STEAL] for row in rows) / _TICKS_PER_S)


def cpu_s(pid: int) -> float:
    """User and system time of a process; NaN where it is gone."""
    fields = text_of(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS_PER_S if fields else math.nan


def tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    try:
        threads = os.listdir(PROC / str(pid) / "task")  # noqa: PTH208  (twice as fast, once a second beside a server)
    except OSError:
        return
    for thread in threads:
        for child in text_of(PROC / str(pid) / "task" / thread / "children").split():
            yield from tree(int(child))


def pressure_s() -> dict[str, float]:
    """Per resource, the seconds in which some task waited for it (PSI): one of this process's control group, else one
    of the machine.
    """
    group = next((CGROUPS / own for controllers, own in _groups() if not controllers), CGROUPS)
    texts = {name: text_of(group / f"{name}.pressure") or text_of(PROC / "pressure" / name) for name in RESOURCES}
    return {name: _pressure_s(text) for name, text in texts.items()}


def throttled_s() -> float:
    """Seconds for which the quota of this process's control groups, or of those above, held tasks back; NaN unknown."""
    found = [_throttled_s(text) for text in _cpu_stats() if "throttled" in text]
    return sum(found) if found else math.nan


def _cpu_stats() -> Iterator[str]:
    return (text_of(level / "cpu.stat") for level in levels("cpu"))


def _groups() -> Iterator[tuple[str, Path]]:
    """The controllers (empty for version 2) and the path of each control group of this process."""
    for line in text_of(PROC / "self" / "cgroup").splitlines():
        _, controllers, own = line.split(":", 2)
        yield controllers, Path(own.lstrip("/"))


def levels(controller: str) -> Iterator[Path]:
    """Folders of this process's control groups and of those above, as mounted in its own view, for one controller."""
    for controllers, own in _groups():
        if not controllers or controller in controllers.split(","):
            for level in (own, *own.parents):
                yield CGROUPS / controllers / level


def _throttled_s(text: str) -> float:
    """`throttled_usec` of version 2, `throttled_time` (nanoseconds) of version 1."""
    counts = dict(line.split() for line in text.splitlines())
    if "throttled_usec" in counts:
        return int(counts["throttled_usec"]) / 1e6
    return int(counts.get("throttled_time", 0)) / 1e9


def _pressure_s(text: str) -> float:
    some = text.partition("\n")[0]
    return int(some.rpartition("total=")[2]) / 1e6 if some.startswith("some") else math.nan


def text_of(path: Path) -> str:
    """What the kernel writes there; empty where it writes nothing."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
