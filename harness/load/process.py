"""The Locust process, seen from the harness: started clean, pinned, and never left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import harness
from harness.load.load_plan import PARENT_VARIABLE, PLAN_VARIABLE

_GRACE_S = 15.0
LOCUSTFILE = Path(__file__).with_name("locustfile.py")
_SETTINGS = ("--headless", "--only-summary", "--skip-log-setup")
CONNECT_S = 300
"""How long a master waits for its workers."""
LOOPBACK = "127.0.0.1"
MASTER = "--master"
_TAIL_LINES = 12


class LocustProcess:
    """A running Locust, whose output goes to a log file; `role` are the arguments that say which part it plays."""

    def __init__(
        self,
        plan_folder: Path,
        log: Path,
        cpus: Sequence[int],
        role: Sequence[str] = (),
        locustfile: Path | None = None,
    ) -> None:
        self.log = log
        command = [sys.executable, "-P", "-m", "locust", "-f", str(locustfile or LOCUSTFILE), *_SETTINGS, *role]
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                cwd=plan_folder,
                env=_environment(plan_folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C reaches the harness, which then stops this process in order
            )
        if cpus and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, cpus)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int:
        """Its exit code once it has ended; subprocess.TimeoutExpired where it has not by then."""
        return self._process.wait(timeout_s)

    def stop(self) -> None:
        """Let it write what it has measured (SIGTERM), then make sure it is gone."""
        self._process.terminate()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return "\n".join(lines[-_TAIL_LINES:]) or "(its log is empty)"


def forked(n_processes: int) -> list[str]:
    """The role of a master with `n_processes` forked workers, connected over loopback; none for a single process."""
    if n_processes == 1:
        return []
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    return ["--processes", str(n_processes), *_listen(LOOPBACK, port), *_connect(LOOPBACK, port)]


def master(n_workers: int, bind_host: str, bind_port: int) -> list[str]:
    """The role of a master of `n_workers` that come from elsewhere."""
    return [MASTER, "--expect-workers", str(n_workers), *_listen(bind_host, bind_port)]


def worker(host: str, port: int) -> list[str]:
    """The role of a worker of a master elsewhere."""
    return ["--worker", *_connect(host, port)]


def _listen(host: str, port: int) -> list[str]:
    where = ["--master-bind-host", host, "--master-bind-port", str(port)]
    return [*where, "--expect-workers-max-wait", str(CONNECT_S)]


def _connect(host: str, port: int) -> list[str]:
    return ["--master-host", host, "--master-port", str(port)]


def _environment(plan_folder: Path) -> dict[str, str]:
    """The harness's own environment without what would change the run: Locust's variables and configuration files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST")}
    packages = str(Path(harness.__file__).resolve().parents[1])
    return kept | {
        PLAN_VARIABLE: str(plan_folder),
        PARENT_VARIABLE: str(os.getpid()),
        "HOME": str(plan_folder),  # Locust reads ~/.locust.conf
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")])),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
