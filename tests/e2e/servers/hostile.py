"""A ranking server that scores with a LightGBM model and, at every n-th request, does one thing wrong.

    python hostile.py --fault reset --every 50 --model model.txt

Takes the Open Inference Protocol (JSON or binary in, JSON out) and, where its path ends in `/rank`, ids: `{id, items:
[{id, features}]}` in, `{items: [{id, score}]}` out, best first. Without a model all scores are made up but fixed. It is
always ready and says nothing of its model: any GET is answered by an empty object.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import _http
import numpy as np
from numpy.typing import NDArray

_JSON_BYTES = re.compile(rb"\r\ninference-header-content-length: *(\d+)", re.IGNORECASE)
_BLOCK = b"0" * 1_000_000
Scores = NDArray[np.float64]
Reply = Callable[[asyncio.StreamWriter, bytes, Scores], Awaitable[None]]
"""What is done with a request whose candidates have these scores."""


def score_with(model: Path | None) -> Callable[[NDArray[np.float64]], Scores]:
    """Scores (n,) of candidates (n, d)."""
    if model is None:
        return lambda x: np.cos(np.arange(len(x)))
    import lightgbm

    booster = lightgbm.Booster(model_file=model)
    return lambda x: booster.predict(x, num_threads=1)


def features(request: bytes) -> NDArray[np.float64]:
    """The candidate list (n, d) of a request in any of the forms; null is NaN."""
    head, _, body = request.partition(b"\r\n\r\n")
    cut = _JSON_BYTES.search(head)
    message = json.loads(body[: int(cut[1])] if cut else body)
    if "items" in message:
        return np.array([_values(item["features"]) for item in message["items"]], dtype=np.float64)
    tensor = message["inputs"][0]
    flat = np.frombuffer(body[int(cut[1]) :], "<f4") if cut else np.array(tensor["data"], dtype=np.float64)
    return flat.reshape(tensor["shape"])


def _values(of: Any) -> list[Any]:
    pairs = of if isinstance(of, list) else of.values()
    return [pair["value"] if isinstance(pair, dict) else pair for pair in pairs]


def answer_to(request: bytes, scores: Scores) -> bytes:
    """The body of an answer in the request's own protocol."""
    if request.partition(b" HTTP")[0].endswith(b"/rank"):
        ranked = [{"id": str(place), "score": float(scores[place])} for place in np.argsort(-scores, kind="stable")]
        return json.dumps({"items": ranked}).encode()
    return _http.scores([None if np.isnan(score) else float(score) for score in scores])


async def well(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """The right answer."""
    writer.write(_http.answer(answer_to(request, scores)))


async def twice(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """The right answer, and once more."""
    await well(writer, request, scores)
    await well(writer, request, scores)


async def error_500(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """A quick failure."""
    writer.write(_http.answer(b"out of luck", "500 Internal Server Error"))


async def reset(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """Drops the connection without the courtesy of a FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def slow_loris(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """One byte a second, so that the connection always looks alive."""
    for byte in _http.answer(answer_to(request, scores)):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def huge(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """A hundred megabytes."""
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {100 * len(_BLOCK)}\r\n\r\n".encode())
    for _ in range(100):
        writer.write(_BLOCK)
        await writer.drain()


async def die(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """The whole process is gone at once."""
    os.kill(os.getpid(), signal.SIGKILL)


async def wrong_scores(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """Scores that are finite, as many as there should be, and not those of the model."""
    await well(writer, request, scores + 0.25 * np.arange(len(scores)))


async def permuted(writer: asyncio.StreamWriter, request: bytes, scores: Scores) -> None:
    """The right scores, of the wrong candidates."""
    await well(writer, request, np.roll(scores, 1))


FAULTS: dict[str, Reply] = {
    reply.__name__: reply for reply in (well, twice, error_500, reset, slow_loris, huge, die, wrong_scores, permuted)
}


class Hostile:
    """Counts requests over all connections; every n-th meets the fault."""

    def __init__(self, fault: Reply, every: int, model: Path | None) -> None:
        self._fault, self._every, self._score = fault, every, score_with(model)
        self._n = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        buffer = bytearray()
        try:
            while not writer.is_closing() and (block := await reader.read(1 << 20)):
                buffer += block
                for request in _http.requests(buffer):
                    if request.startswith(b"GET "):
                        writer.write(_http.answer(b"{}"))
                        continue
                    self._n += 1
                    reply = well if self._n % self._every else self._fault
                    await reply(writer, request, self._score(features(request)))
        except ConnectionError:
            pass
        finally:
            writer.close()


async def main() -> None:
    """Serve until killed."""
    parser = _http.arguments(__doc__ or "")
    parser.add_argument("--fault", choices=FAULTS, required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--model", type=Path, help="LightGBM text file")
    options = parser.parse_args()
    hostile = Hostile(FAULTS[options.fault], options.every, options.model)
    server = await asyncio.start_server(hostile.serve, "127.0.0.1", options.port)
    _http.announce(server.sockets[0])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
