"""A server that does nothing, as cheaply as Python can: `python -m harness.serve.null_server --port 0 --cpus 1`.

It is what calibration and benchmarks of the load generator measure against. Its first line on stdout is the URL to
POST to. A POST is read whole and answered with as many zero scores as its request has candidates, in the encoding of
the request; a GET is answered that it is ready. It dies with the process that started it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np

import harness
from harness import oip
from harness.errors import ServeError
from harness.tether import die_with_parent

MODEL = "null"
_MAX_HEAD_BYTES = 65_536
_MAX_CANDIDATES = 100_000
_SHAPE_WITHIN_BYTES = 256
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,12})\r", re.IGNORECASE)
_BINARY = re.compile(rb"\r\n" + oip.HEADER_LENGTH.encode() + rb":", re.IGNORECASE)
_SHAPE = re.compile(rb'"shape" *: *\[ *(\d{1,9})\b')
_READY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"ready": true}'
_REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class NullServer:
    """A running null server: where to POST, and its process."""

    url: str
    pid: int


@contextmanager
def null_server(cpus: Sequence[int] = ()) -> Iterator[NullServer]:
    """A null server on a free loopback port and the given cores, ended at the end. ServeError where it does not start.

    Start it from a thread that outlives it: it dies with that thread.
    """
    pinned = ["--cpus", *map(str, cpus)] if cpus else []
    packages = str(Path(harness.__file__).resolve().parents[1])
    with subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, "--port", "0", "--parent", str(os.getpid()), *pinned],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))},
        text=True,
        start_new_session=True,  # Ctrl-C reaches the harness, which then ends this process
    ) as process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise ServeError("the null server did not start", remedy=f"see what `python -m {__name__}` prints")
            yield NullServer(url, process.pid)
        finally:
            process.kill()


class NullProtocol(asyncio.Protocol):
    """One connection. What has come of a body is dropped at once, but for its beginning."""

    def __init__(self) -> None:
        self._begun = b""
        self._missing_bytes = 0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Count down the rest of a body, or begin new requests."""
        if self._missing_bytes:
            here = min(len(data), self._missing_bytes)
            self._missing_bytes -= here
            if self._missing_bytes:
                return
            self._transport.write(self._answer)
            data = data[here:]
        if data:
            self._begin(self._begun + data if self._begun else data)

    def _begin(self, data: bytes) -> None:
        """Answer every request of `data` that is whole; keep a head that is not, and count what a body lacks."""
        self._begun = b""
        while data:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._keep(data)
                return
            head, body = data[: end + 2], end + 4
            length = _LENGTH.search(head)
            n_bytes = int(length[1]) if length else 0
            if len(data) - body < min(n_bytes, _SHAPE_WITHIN_BYTES):
                self._keep(data)
                return
            answer = _answer_to(head, data[body : body + _SHAPE_WITHIN_BYTES])
            lacking = n_bytes - (len(data) - body)
            if lacking > 0:
                self._missing_bytes, self._answer = lacking, answer
                return
            self._transport.write(answer)
            if answer is _REFUSED:
                self._transport.close()
                return
            data = data[body + n_bytes :]

    def _keep(self, data: bytes) -> None:
        if len(data) > _MAX_HEAD_BYTES:
            self._transport.write(_REFUSED)
            self._transport.close()
            return
        self._begun = data


def _answer_to(head: bytes, body: bytes) -> bytes:
    if head.startswith(b"GET "):
        return _READY
    shape = _SHAPE.search(body)
    n_candidates = int(shape[1]) if shape else 0
    if not head.startswith(b"POST ") or n_candidates > _MAX_CANDIDATES:
        return _REFUSED
    return _scores(n_candidates, _BINARY.search(head) is not None)


@cache
def _scores(n_candidates: int, binary: bool) -> bytes:
    """The whole answer, head and body."""
    body, headers = oip.encode_response(np.zeros(n_candidates, np.float32), None, MODEL, None, binary)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(NullProtocol, "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2/models/{MODEL}/infer", flush=True)  # noqa: T201
    await server.serve_forever()


def main() -> None:
    """Serve until killed, or until the parent process has gone."""
    import uvloop

    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description="A server that does nothing.")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 picks a free one, as the first line says")
    parser.add_argument("--cpus", type=int, nargs="+", default=[], help="cores to run on")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process to die with")
    asked = parser.parse_args()
    die_with_parent(asked.parent)
    if asked.cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, asked.cpus)
    uvloop.run(_serve(asked.port))


if __name__ == "__main__":
    main()
