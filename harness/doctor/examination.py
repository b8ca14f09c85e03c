"""All checks, in the order in which they are shown, and their summary."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness import environment
from harness.doctor.check import Check
from harness.doctor.cores import core_checks, vector_check
from harness.doctor.kernel import Kernel
from harness.doctor.moment import a_second, moment_checks
from harness.doctor.room import disk_check, memory_checks, open_files_check, port_checks
from harness.doctor.software import calibration_check, compiler_check, library_checks, requirements
from harness.pipeline.calibrations import newest
from harness.placement import available_cpus
from harness.watch.limits import memory_room_bytes, quota_cores


def examine(
    cache_dir: Path, out: Path, kernel: Kernel | None = None, pause: Callable[[], float] = a_second
) -> Iterator[Check]:
    """Look at this machine; `cache_dir` and `out` are where a run would write. Takes about a second."""
    kernel = kernel or Kernel()
    cpus, isa = available_cpus(), environment.isa()
    yield from core_checks(kernel, cpus, os.cpu_count() or 1, quota_cores())
    yield vector_check(isa["machine"], isa["vector"])
    yield from moment_checks(cpus, environment.is_virtual(), pause)
    yield from memory_checks(kernel, memory_room_bytes())
    yield disk_check("cache", cache_dir)
    yield disk_check("results", out)
    yield open_files_check(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield from port_checks(kernel)
    yield compiler_check(environment.compiler_version())
    yield from library_checks(requirements())
    yield calibration_check(newest(cache_dir), datetime.now(UTC).isoformat())


def summary(checks: Sequence[Check]) -> str:
    """The whole in one sentence."""
    spoilt = [check.what for check in checks if check.mark == "bad"]
    moved = [check.what for check in checks if check.mark == "warn"]
    if spoilt:
        return f"A run here would fail, or its figures could not be trusted, because of: {', '.join(spoilt)}."
    if moved:
        return f"Figures can be trusted here; they would be steadier or better known but for: {', '.join(moved)}."
    return "Nothing here stands in the way of trustworthy figures."
