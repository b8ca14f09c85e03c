"""A server of known latency: 1 ms of service, one request at a time, and a freeze of the whole process every 5 s.

    python frozen.py --log LOG

It writes down what its latency truly was, without trusting any client: the kernel stamps the bytes of a request when
they arrive in the socket (SO_TIMESTAMPNS; also while the process is frozen, and on connections that it has not accepted
yet), and a request is done when the last byte of its answer has been handed to the kernel. On SIGTERM it writes the log
as JSON, in seconds of CLOCK_MONOTONIC: `arrived` and `done` per request, `freezes` as pairs of begin and end.
Linux only.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import time
from pathlib import Path

import _http

_SO_TIMESTAMPNS = 35
_BLOCK_BYTES = 1 << 20
_TIMESPEC = struct.Struct("qq")


class FrozenServer:
    """Answers in the event loop's own turn, so that nothing runs beside a request or a freeze."""

    def __init__(self, service_s: float, every_s: float, freeze_s: float) -> None:
        self.arrived_s: list[float] = []
        self.done_s: list[float] = []
        self.freezes: list[tuple[float, float]] = []
        self._service_s, self._every_s, self._freeze_s = service_s, every_s, freeze_s
        self._loop = asyncio.get_running_loop()

    def listen(self, port: int) -> socket.socket:
        """Take connections from now on, and freeze for the first time after one period."""
        listening = socket.create_server(("127.0.0.1", port), backlog=1024)
        listening.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)  # what it accepts inherits this
        listening.setblocking(False)
        self._loop.add_reader(listening, self._accept, listening)
        self._loop.call_at(self._loop.time() + self._every_s, self._freeze, self._loop.time() + self._every_s)
        return listening

    def _freeze(self, due_s: float) -> None:
        begin_s = time.monotonic()
        time.sleep(self._freeze_s)
        self.freezes.append((begin_s, time.monotonic()))
        self._loop.call_at(due_s + self._every_s, self._freeze, due_s + self._every_s)

    def _accept(self, listening: socket.socket) -> None:
        connection, _ = listening.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(connection, self._read, connection, bytearray())

    def _read(self, connection: socket.socket, buffer: bytearray) -> None:
        try:
            block, stamps, _, _ = connection.recvmsg(_BLOCK_BYTES, 64)
            buffer += block
            for request in _http.requests(buffer):
                self._serve(connection, request, _arrival_s(stamps))
        except ConnectionError:
            block = b""
        if not block:
            self._loop.remove_reader(connection)
            connection.close()

    def _serve(self, connection: socket.socket, request: bytes, arrived_s: float) -> None:
        end_s = time.monotonic() + self._service_s
        reply = _http.answer(_http.scores([0.5] * _http.n_candidates(request)))
        while time.monotonic() < end_s:
            pass
        connection.sendall(reply)
        self.arrived_s.append(arrived_s)
        self.done_s.append(time.monotonic())


def _arrival_s(stamps: list[tuple[int, int, bytes]]) -> float:
    """When the last bytes of a read arrived: the kernel's wall-clock stamp, put on the monotonic clock."""
    seconds, nanoseconds = _TIMESPEC.unpack(stamps[0][2])
    return seconds + nanoseconds / 1e9 - (time.time() - time.monotonic())


async def main() -> None:
    """Serve until SIGTERM, then write the log."""
    parser = _http.arguments(__doc__ or "")
    parser.add_argument("--log", type=Path, required=True, help="file that the log is written to")
    parser.add_argument("--service-ms", type=float, default=1.0)
    parser.add_argument("--every-s", type=float, default=5.0, help="from one freeze to the next")
    parser.add_argument("--freeze-ms", type=float, default=300.0)
    options = parser.parse_args()
    server = FrozenServer(options.service_ms / 1e3, options.every_s, options.freeze_ms / 1e3)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    with server.listen(options.port) as listening:
        _http.announce(listening)
        await ended.wait()
    log = {"arrived": server.arrived_s, "done": server.done_s, "freezes": server.freezes}
    options.log.write_text(json.dumps(log), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
