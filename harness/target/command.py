"""An endpoint that a command starts: its process, its log, and its end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import harness
from harness.errors import TargetError

_SUPERVISE = """
import sys
sys.path.insert(0, sys.argv[1])  # not PYTHONPATH, which the command would inherit
from harness.target.supervisor import main
sys.exit(main(int(sys.argv[2]), sys.argv[3:]))
"""
_LOG_LINES = 12
_GRACE_S = 20.0


class Command:
    """A started command, from `with` to its end, which takes all its descendants along.

    `cpus` pins it and what it starts (none: unpinned). Its output goes to `log`.
    """

    def __init__(self, command: Sequence[str], log: Path, cpus: Sequence[int]) -> None:
        self._command, self.log, self._cpus = tuple(command), log, tuple(cpus)

    def __enter__(self) -> Self:
        packages = str(Path(harness.__file__).resolve().parents[1])
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SUPERVISE, packages, str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the harness, which then ends it in order
            )
        if self._cpus and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, self._cpus)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def check(self) -> None:
        """TargetError where it has ended, with the end of its log."""
        code = self._process.poll()
        if code is not None:
            raise TargetError(
                f"the command ended with exit code {code}{self.last_words()}",
                where=" ".join(self._command),
                remedy=f"see {self.log}",
            )

    def last_words(self) -> str:
        """The end of its log, indented."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        return "".join(f"\n  | {line}" for line in lines)
