"""Starting, watching and ending the server's worker processes."""

from __future__ import annotations

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import orjson

import harness
from harness.errors import ServeError
from harness.scenario import Choice, Serve
from harness.serve.measure import Gauge
from harness.serve.spec import WorkerSpec
from harness.serve.stats import Board

_POLL_S = 0.02
_PROBE_TIMEOUT_S = 5.0
_STOP_S = 5.0
_BACKLOG = 2048
_LOG_LINES = 12
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


class Server:
    """A running server: `serve.workers` processes behind one listening socket, from `with` to its end.

    `cpus` are dealt to the workers in turn, or shared where there are fewer; empty leaves them unpinned. The log of all
    workers is `run_dir/<name>-server.log`. Raises ServeError where the port is taken or a worker does not become ready.
    Start it from a thread that outlives it: its workers die with that thread.
    """

    def __init__(
        self,
        bundle: Path,
        engine: Choice,
        serve: Serve,
        cpus: Sequence[int],
        run_dir: Path,
        cache_dir: Path,
        name: str,
    ) -> None:
        self.name = name
        self.log_path = run_dir / f"{name}-server.log"
        self.metadata: dict[str, Any] = {}
        self._serve = serve
        self._spec = {"bundle": bundle.resolve(), "engine": engine, "cache_dir": cache_dir.resolve(), "model": name}
        self._cpus = tuple(cpus)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port = serve.port

    def __enter__(self) -> Self:
        listening = _listen(self._serve.host, self._serve.port)
        try:
            with listening, Board.file(self._serve.workers) as file:
                self._port = listening.getsockname()[1]
                board = Board(file.fileno())
                self._start(listening.fileno(), file.fileno())
            self._await_ready(board)
            self._gauge = Gauge(board)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Base address, without a slash at its end."""
        host = f"[{self._serve.host}]" if ":" in self._serve.host else self._serve.host
        return f"http://{host}:{self._port}"

    @property
    def infer_url(self) -> str:
        """Address that scores are POSTed to."""
        return f"{self.url}{self._model_path}/infer"

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(process.pid for process in self._processes)

    @property
    def engine_info(self) -> dict[str, Any]:
        """What the engine says of its set-up."""
        return dict(self.metadata["parameters"]["engine_info"])

    def alive(self) -> bool:
        """Whether every worker runs."""
        return bool(self._processes) and all(process.poll() is None for process in self._processes)

    def check(self) -> None:
        """ServeError where a worker has died, with the end of its log."""
        for worker, process in enumerate(self._processes):
            if process.poll() is not None:
                raise ServeError(
                    f"server worker {worker} {_ending(process.returncode)}{self._log_tail()}",
                    where=self.name,
                    remedy=f"see {self.log_path}" + _hint(process.returncode),
                )

    def stats(self) -> dict[str, float]:
        """Figures since the last `reset_stats`, over all workers; see `harness.serve.measure.Gauge.read`."""
        return self._gauge.read()

    def reset_stats(self) -> None:
        """Count from now on."""
        self._gauge.reset()

    def close(self) -> None:
        """End the workers: SIGTERM, then SIGKILL after 5 s. Does nothing the second time."""
        deadline = time.monotonic() + _STOP_S
        try:
            for process in self._processes:
                process.terminate()
            for process in self._processes:
                process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            for process in self._processes:
                process.kill()
                process.wait()
            self._processes = []

    @property
    def _model_path(self) -> str:
        return f"/v2/models/{quote(self.name, safe='')}"

    def _start(self, socket_fd: int, stats_fd: int) -> None:
        path = os.pathsep.join(filter(None, (str(Path(harness.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            for worker in range(self._serve.workers):
                spec = WorkerSpec(
                    **self._spec,
                    parent_pid=os.getpid(),
                    worker=worker,
                    max_candidates=self._serve.max_candidates,
                    cpus=share_of(self._cpus, worker, self._serve.workers),
                    socket_fd=socket_fd,
                    stats_fd=stats_fd,
                )
                self._processes.append(
                    subprocess.Popen(
                        [sys.executable, "-P", "-m", "harness.serve", spec.model_dump_json()],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        pass_fds=(socket_fd, stats_fd),
                        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": path},
                    )
                )

    def _await_ready(self, board: Board) -> None:
        deadline = time.monotonic() + self._serve.ready_timeout_s
        while not (board.all_ready and self._probe()):
            self.check()
            if time.monotonic() > deadline:
                raise ServeError(
                    f"not ready after {self._serve.ready_timeout_s:g} s{self._log_tail()}",
                    where=self.name,
                    remedy="raise serve.ready_timeout_s, or choose an engine that loads faster",
                )
            time.sleep(_POLL_S)

    def _probe(self) -> bool:
        """Whether the server answers that it is ready; reads its metadata then."""
        connection = http.client.HTTPConnection(self._serve.host, self._port, timeout=_PROBE_TIMEOUT_S)
        try:
            connection.request("GET", "/v2/health/ready")
            with connection.getresponse() as answer:
                answer.read()
                if answer.status != http.client.OK:
                    return False
            connection.request("GET", self._model_path)
            with connection.getresponse() as answer:
                self.metadata = orjson.loads(answer.read())
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _log_tail(self) -> str:
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        return "".join(f"\n  | {line}" for line in lines)


def share_of(cpus: tuple[int, ...], worker: int, n_workers: int) -> tuple[int, ...]:
    """The cores of one worker: its own where they go round, else one that it shares."""
    if len(cpus) >= n_workers:
        return cpus[worker::n_workers]
    return (cpus[worker % len(cpus)],) if cpus else ()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        in_use = error.errno == errno.EADDRINUSE
        raise ServeError(
            "the port is already in use" if in_use else f"can't listen: {error.strerror}",
            where=f"{host}:{port}",
            remedy="stop what listens there, or set serve.port: 0 to take a free port",
        ) from error
    return listening


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _hint(code: int) -> str:
    return "; SIGKILL from outside often means that memory ran out" if code == -signal.SIGKILL else ""
