"""What the servers of this folder share: the requests in a stretch of bytes, answers, and the first line they print."""

from __future__ import annotations

import argparse
import json
import re
import socket
from collections.abc import Iterator

MODEL_PATH = "/v2/models/m"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ROWS = re.compile(rb'"shape" *: *\[ *(\d+)')


def requests(buffer: bytearray) -> Iterator[bytes]:
    """Take every whole request, head and body, out of the bytes that have come so far."""
    while (end := buffer.find(b"\r\n\r\n")) >= 0:
        found = _LENGTH.search(buffer, 0, end + 4)
        size = end + 4 + (int(found[1]) if found else 0)
        if len(buffer) < size:
            return
        yield bytes(buffer[:size])
        del buffer[:size]


def n_candidates(request: bytes) -> int:
    """Length of the candidate list of an Open Inference Protocol request; 0 for other requests."""
    found = _ROWS.search(request)
    return int(found[1]) if found else 0


def scores(values: list[float | None]) -> bytes:
    """The protocol's JSON answer."""
    tensor = {"name": "scores", "datatype": "FP32", "shape": [len(values)], "data": values}
    return json.dumps({"model_name": "m", "outputs": [tensor]}).encode()


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole HTTP answer on a connection that stays open."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def arguments(description: str) -> argparse.ArgumentParser:
    """`--port`, which every server takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    return parser


def announce(listening: socket.socket) -> None:
    """Print the URL to POST to, which tells the process that started this one that it is up."""
    print(f"http://127.0.0.1:{listening.getsockname()[1]}{MODEL_PATH}/infer", flush=True)
