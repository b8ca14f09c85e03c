"""Room: memory, disk, open files and ports."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from harness.doctor.check import Check, bad, ok, warn
from harness.doctor.kernel import Kernel

_GB = 1e9
_MEMORY_GB = (1.0, 4.0)
_DISK_GB = (1.0, 5.0)
_OPEN_FILES = (320, 1024)
_PORTS = 1000


def memory_checks(kernel: Kernel, room_bytes: float) -> Iterator[Check]:
    """Memory that is free within the machine and the control groups (`room_bytes`), and how its pages are made."""
    available_bytes = kernel.meminfo_bytes("MemAvailable")
    free_gb = min(available_bytes, room_bytes) / _GB
    limited = " within the control group's limit" if room_bytes < available_bytes else ""
    yield _enough(
        "memory", free_gb, _MEMORY_GB,
        f"{free_gb:.1f} GB free{limited} of {kernel.meminfo_bytes('MemTotal') / _GB:.1f} GB",
        "training or compiling may be killed, and a server that waits for memory answers late",
        "end what else runs, raise the container's memory limit, or use a machine with more",
    )  # fmt: skip
    pages = kernel.chosen("sys/kernel/mm/transparent_hugepage/enabled")
    if pages == "always":
        yield warn(
            "huge pages", "always", "the kernel may stop a process for milliseconds to make or move a huge page",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        )  # fmt: skip
    else:
        yield ok("huge pages", pages or "not told")


def disk_check(what: str, folder: Path) -> Check:
    """Whether a folder, there or yet to be made, can be written to and has room."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return bad(what, f"{folder} can't be written to", "a run fails before it measures", _elsewhere(what))
    free_gb = shutil.disk_usage(existing).free / _GB
    return _enough(
        what, free_gb, _DISK_GB, f"{free_gb:.1f} GB free at {folder}",
        "a run fails where its samples or compiled engines find no room", _elsewhere(what),
    )  # fmt: skip


def open_files_check(limit: int) -> Check:
    """The most files and connections of one process; the default of `traffic.max_in_flight` is 256 connections."""
    least, enough = _OPEN_FILES
    if limit >= enough:
        return ok("open files", f"{limit:,} per process")
    says = bad if limit < least else warn
    return says(
        "open files", f"{limit:,} per process", "connections beyond it fail, and count as failed requests",
        "ulimit -n 4096 in the shell that runs the harness",
    )  # fmt: skip


def port_checks(kernel: Kernel) -> Iterator[Check]:
    """Whether the server finds a port, and connections find enough."""
    try:
        with socket.create_server(("127.0.0.1", 0)):
            pass
    except OSError as error:
        yield bad(
            "ports", f"none can be opened on 127.0.0.1: {error.strerror}", "the server does not start",
            "allow sockets on the loopback address (a sandbox may forbid them)",
        )  # fmt: skip
        return
    low, _, high = kernel.word("proc/sys/net/ipv4/ip_local_port_range").replace("\t", " ").partition(" ")
    if not (low.isdecimal() and high.strip().isdecimal()):
        yield ok("ports", "one can be opened")
        return
    n_ports = int(high) - int(low) + 1
    if n_ports < _PORTS:
        yield warn(
            "ports", f"{n_ports:,} for connections", "reconnecting clients run out of ports: requests fail",
            "sysctl -w net.ipv4.ip_local_port_range='32768 60999'",
        )  # fmt: skip
    else:
        yield ok("ports", f"{n_ports:,} for connections")


def _enough(what: str, found: float, limits: tuple[float, float], value: str, effect: str, remedy: str) -> Check:
    least, enough = limits
    if found >= enough:
        return ok(what, value)
    return (bad if found < least else warn)(what, value, effect, remedy)


def _elsewhere(what: str) -> str:
    return "free some space, or " + ("set HARNESS_CACHE to another folder" if what == "cache" else "give another --out")
