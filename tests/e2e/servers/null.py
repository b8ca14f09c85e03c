"""A server that costs as little as Python can: reads a request and sends an answer made once, whatever was asked."""

from __future__ import annotations

import asyncio

import _http
import uvloop


class Null(asyncio.Protocol):
    """Pipelined or not, one answer per whole request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for request in _http.requests(self._buffer):
            self._transport.write(_http.answer(_http.scores([0.5] * _http.n_candidates(request))))


async def main() -> None:
    """Serve until killed."""
    options = _http.arguments(__doc__ or "").parse_args()
    server = await asyncio.get_running_loop().create_server(Null, "127.0.0.1", options.port)
    _http.announce(server.sockets[0])
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
