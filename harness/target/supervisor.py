"""Runs a command and ends it with all its descendants, whatever becomes of the harness.

As their subreaper it stays the ancestor even of processes that put themselves into the background.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import psutil

from harness.tether import die_with_parent

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_S = 5.0
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(parent_pid: int, command: list[str]) -> int:
    """The command's exit code once it has ended by itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in _ENDING:
        signal.signal(number, _leave)
    try:
        die_with_parent(parent_pid, signal.SIGTERM)
        return subprocess.Popen(command, stdin=subprocess.DEVNULL).wait()
    except OSError as error:
        sys.stderr.write(f"can't start {command[0]}: {error.strerror}\n")
        return 127
    finally:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        _end_descendants()


def _leave(number: int, _: Any) -> None:
    raise SystemExit(128 + number)


def _end_descendants() -> None:
    """SIGTERM to all, then SIGKILL to who is left, until none is."""
    below = psutil.Process().children(recursive=True)
    for process in below:
        _send(process, signal.SIGTERM)
    psutil.wait_procs(below, timeout=_GRACE_S)
    while below := [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]:
        for process in below:
            _send(process, signal.SIGKILL)
        psutil.wait_procs(below, timeout=_GRACE_S)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):  # it ended by itself
        process.send_signal(number)
