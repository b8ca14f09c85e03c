"""The machine and the versions: what an honest latency figure must state."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from harness.cache import package_versions

PACKAGES = (
    "lightgbm", "xgboost", "torch", "treelite", "tl2cgen", "locust", "gevent", "numpy", "scipy", "pandas",
    "uvicorn", "httptools", "uvloop", "orjson", "hdrhistogram", "onnxruntime",
)  # fmt: skip


@cache
def cpu_model() -> str:
    """The CPU's name as the kernel gives it."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


@cache
def isa() -> dict[str, Any]:
    """Architecture, the vector extensions that matter to scoring, and a digest of all CPU flags."""
    flags = sorted((_cpuinfo().get("flags") or _cpuinfo().get("Features") or "").split())
    wanted = {"avx", "avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vnni"}
    wanted |= {"asimd", "sve"}
    return {
        "machine": platform.machine(),
        "vector": [flag for flag in flags if flag in wanted],
        "flags_sha256": hashlib.sha256(" ".join(flags).encode()).hexdigest()[:16],
    }


@cache
def compiler_version() -> str:
    """First line of `cc --version` (gcc preferred), or `none`."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return "none"
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.partition("\n")[0].strip() or "unknown"


def is_virtual() -> bool:
    """Whether this machine is a guest, as far as its CPU tells."""
    return "hypervisor" in (_cpuinfo().get("flags") or "").split()


def identity() -> dict[str, Any]:
    """What has to be the same for two figures to be of one machine: CPU, number of cores, kernel."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count() or 1,
        "kernel": f"{platform.system()} {platform.release()}",
    }


def describe() -> dict[str, Any]:
    """Machine, limits, versions and revision as a JSON-able record."""
    return {
        **identity(),
        "isa": isa(),
        "affinity": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [],
        "cgroup_cpu_max": _first_line("/sys/fs/cgroup/cpu.max"),
        "memory_mb": _memory_mb(),
        "virtual_machine": is_virtual(),
        "governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "clock_source": _first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "python": sys.version.split()[0],
        "compiler": compiler_version(),
        "git_revision": git_revision(),
        "versions": package_versions(*PACKAGES),
    }


def git_revision() -> str:
    """Revision of the working directory's checkout, with `+changes` where it is not clean; `none` outside git."""
    git = shutil.which("git")
    if git is None:
        return "none"
    head = subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=20, check=False)
    if head.returncode:
        return "none"
    changed = subprocess.run(
        [git, "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=20, check=False
    )
    return head.stdout.strip() + ("+changes" if changed.stdout.strip() else "")


@cache
def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    first = text.partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0].strip()
    except OSError:
        return ""


def _memory_mb() -> int:
    if not hasattr(os, "sysconf"):
        return 0
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6)
