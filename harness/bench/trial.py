"""Trying an engine: opened in a process of its own first, where it may compile for a limited time, or crash."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from harness.bundle import Bundle
from harness.errors import EngineError
from harness.scenario import Choice

MEASURING_S = 120.0


class OverLimitError(EngineError):
    """An engine that takes longer to open than it may."""


def try_engine(bundle: Bundle, engine: Choice, cache_dir: Path, limit_s: float) -> float:
    """Seconds that a first opening takes; what it compiles is in `cache_dir` for the next.

    Raises OverLimitError where that is longer than `limit_s`, and EngineError where it fails or crashes.
    """
    return _opened(bundle, engine, cache_dir, limit_s)["open_s"]


def memory_bytes(bundle: Bundle, engine: Choice, cache_dir: Path) -> int:
    """Resident memory that a process gains by opening an engine that is compiled, libraries included, and scoring."""
    return int(_opened(bundle, engine, cache_dir, MEASURING_S)["memory_bytes"])


def _opened(bundle: Bundle, engine: Choice, cache_dir: Path, limit_s: float) -> dict[str, float]:
    command = [sys.executable, "-m", "harness.bench", str(os.getpid())]
    command += [str(bundle.path.resolve()), engine.model_dump_json(), str(cache_dir.resolve())]
    where = f"engine {engine.kind}"
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said, complained = child.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired as error:
        raise OverLimitError(
            f"was not ready after {time.monotonic() - started:.0f} s of loading and compiling",
            where=where,
            remedy="allow it more time with --compile-limit",
        ) from error
    finally:
        end_family(child)
    lines = said.strip().splitlines()
    if child.returncode or not lines:
        last = (complained.strip().splitlines() or ["without a word"])[-1]
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"status {child.returncode}"
        raise EngineError(f"crashed while it was opened ({how}, {last})", where=where)
    found: dict[str, float] = json.loads(lines[-1])
    if "error" in found:
        raise EngineError(str(found["error"]))
    return found


def end_family(child: subprocess.Popen[str]) -> None:
    """Kill a process and all that it has started; nothing to do where it has ended. None can start more meanwhile."""
    if child.poll() is not None:
        return
    family = [psutil.Process(child.pid)]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.suspend()
            family += member.children()
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    child.communicate()
