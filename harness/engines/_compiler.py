"""The C compiler: finding it, naming it in a cache key, and turning sources into a shared library."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.environment import compiler_version
from harness.errors import EngineError

_LAST_LINES = 12


@dataclass(frozen=True)
class Compiler:
    """A program that takes gcc's arguments, and what it calls itself."""

    path: str
    version: str


def find_compiler() -> Compiler:
    """Gcc, else cc, on PATH; EngineError where there is neither."""
    path = shutil.which("gcc") or shutil.which("cc")
    if path is None:
        raise EngineError(
            "needs a C compiler, and neither gcc nor cc is on PATH",
            where="compiling an engine",
            remedy="install one (such as the package gcc), or use engine: gtil, for networks native",
        )
    return Compiler(path, compiler_version())


def compile_library(compiler: Compiler, sources: Sequence[Path], library: Path, flags: Sequence[str]) -> None:
    """Compile `sources` (all in one folder) on every core this process may use, and link them into `library`.

    Raises EngineError with the compiler's last lines; leaves object files beside the sources.
    """
    folder = sources[0].parent
    by_size = sorted(sources, key=lambda source: source.stat().st_size, reverse=True)
    n_jobs = min(len(os.sched_getaffinity(0)), len(sources))
    shares = [[source.name for source in by_size[job::n_jobs]] for job in range(n_jobs)]
    _run_all([[compiler.path, *flags, "-fPIC", "-pipe", "-c", *share] for share in shares], folder)
    objects = [source.with_suffix(".o").name for source in sources]
    _run_all([[compiler.path, "-shared", "-o", str(library.resolve()), *objects, "-lm"]], folder)


def _run_all(commands: Sequence[Sequence[str]], folder: Path) -> None:
    running: list[subprocess.Popen[str]] = []
    try:
        for command in commands:
            running.append(_start(command, folder))
        for command, process in zip(commands, running, strict=True):
            said = process.communicate()[0]
            if process.returncode:
                raise EngineError(
                    f"the C compiler failed ({_how(process.returncode)}):\n{_last_lines(said)}",
                    where=command[0],
                    remedy="free memory or disk space where it ran out, else use engine: gtil, for networks native",
                )
    finally:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            if process.stdout is not None and not process.stdout.closed:
                process.communicate()


def _start(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    """In a process group of its own, so that the programs the compiler starts can be ended with it."""
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def _how(returncode: int) -> str:
    return f"exit status {returncode}" if returncode > 0 else f"killed by signal {-returncode}"


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LAST_LINES:]) or "(it printed nothing)"
