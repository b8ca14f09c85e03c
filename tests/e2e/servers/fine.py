"""A server that answers `fine` to everything, and may stall as a whole once or fail at every n-th request.

python fine.py --stall-at 60 --fail-every 10
"""

from __future__ import annotations

import asyncio
import time

import _http

STALL_S = 0.3


class Fine:
    """Counts requests over all connections; 0 stands for never."""

    def __init__(self, stall_at: int, fail_every: int) -> None:
        self._stall_at, self._fail_every = stall_at, fail_every
        self._n = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client ends it."""
        buffer = bytearray()
        try:
            while block := await reader.read(1 << 20):
                buffer += block
                for _ in _http.requests(buffer):
                    self._n += 1
                    if self._n == self._stall_at:
                        time.sleep(STALL_S)
                    fails = self._fail_every and self._n % self._fail_every == 0
                    writer.write(_http.answer(b"fine", "500 Oops" if fails else "200 OK"))
        except ConnectionError:
            pass
        finally:
            writer.close()


async def main() -> None:
    """Serve until killed."""
    parser = _http.arguments(__doc__ or "")
    parser.add_argument("--stall-at", type=int, default=0, help="number of the request before which all wait for 0.3 s")
    parser.add_argument("--fail-every", type=int, default=0, help="every so manieth request gets a 500")
    options = parser.parse_args()
    server = await asyncio.start_server(Fine(options.stall_at, options.fail_every).serve, "127.0.0.1", options.port)
    _http.announce(server.sockets[0])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
