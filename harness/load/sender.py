"""Sending one request over kept-alive connections: an answer's status, or -1."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import gevent
from geventhttpclient.response import HTTPParseError, HTTPSocketPoolResponse

from harness.load.bodies import Bodies
from harness.samples import TRANSPORT_ERROR

MAX_ANSWER_BYTES = 16 * 2**20
_BLOCK_BYTES = 65_536


class Sender:
    """Requests to one target through a `FastHttpUser`'s connections.

    It goes below that user's session, at its connection pool and response parser: the session would follow redirects,
    build and check headers per request, keep answers of any size, and lose a connection of the pool for good when a
    time-out falls into sending. Nothing is ever sent twice.
    """

    def __init__(self, pool: Any, url: str, bodies: Bodies, timeout_s: float) -> None:
        parts = urlsplit(url)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        self._pool, self._timeout_s, self._bodies = pool, timeout_s, bodies
        self._heads = [bodies.head(index, target, parts.netloc) for index in range(len(bodies))]
        pool.after_connect = _send_at_once
        self.last_error = ""

    def send(self, body: int) -> int:
        """The HTTP status of a whole, non-empty answer (empty is fine outside 2xx), else TRANSPORT_ERROR."""
        try:
            with gevent.Timeout(self._timeout_s):
                return self._exchange(body)
        except gevent.Timeout:
            self.last_error = f"no answer within {self._timeout_s:g} s"
        except (OSError, HTTPParseError) as error:
            self.last_error = f"{type(error).__name__}: {error}"
        return TRANSPORT_ERROR

    def _exchange(self, body: int) -> int:
        message = b"".join((self._heads[body], self._bodies.body(body)))
        connection = self._pool.get_socket()
        try:
            connection.sendall(message)
        except BaseException:
            self._pool.release_socket(connection)
            raise
        answer = HTTPSocketPoolResponse(connection, self._pool, block_size=_BLOCK_BYTES, method="POST")
        try:
            first = block = answer.read(_BLOCK_BYTES)
            n_bytes = len(block)
            while len(block) == _BLOCK_BYTES and n_bytes <= MAX_ANSWER_BYTES:
                block = answer.read(_BLOCK_BYTES)
                n_bytes += len(block)
        finally:
            answer.release()
        status = int(answer.status_code)
        if n_bytes > MAX_ANSWER_BYTES:
            self.last_error = f"HTTP {status} with an answer over {MAX_ANSWER_BYTES} bytes"
            return TRANSPORT_ERROR
        if not 200 <= status < 300:
            self.last_error = f"HTTP {status}: {first[:200].decode('utf-8', 'replace')}"
        elif not n_bytes:
            self.last_error = f"HTTP {status} with an empty answer"
            return TRANSPORT_ERROR
        return status


def _send_at_once(connection: Any) -> None:
    """Without Nagle's algorithm the tail of a large body does not wait for the server's acknowledgement."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
