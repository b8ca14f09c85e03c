"""Sending one request over kept-alive connections: an answer's status, or -1."""

from __future__ import annotations

import socket
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.socket import create_connection
from geventhttpclient.response import HTTPParseError, HTTPResponse

from harness.load.bodies import Bodies
from harness.samples import TRANSPORT_ERROR

MAX_ANSWER_BYTES = 16 * 2**20
_BLOCK_BYTES = 65_536
_IDLE_S = 1.0
_EXCERPT_BYTES = 200


class Sender:
    """Requests to one target, each sent once, over as many connections as are in use at a time.

    Locust's `FastHttpUser` is not used for this: it follows redirects, keeps answers of any size, loses a connection
    for good when a time-out falls into sending, and takes twice the CPU time, which delays the other requests.
    """

    def __init__(self, url: str, bodies: Bodies, timeout_s: float) -> None:
        parts = urlsplit(url)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        self._address = (parts.hostname, parts.port or 80)
        self._heads = [bodies.head(index, target, parts.netloc) for index in range(len(bodies))]
        self._bodies, self._timeout_s = bodies, timeout_s
        self._idle: list[tuple[Any, float]] = []
        self.last_error = ""

    def send(self, body: int) -> int:
        """The HTTP status of a whole answer, TRANSPORT_ERROR where none came in time or a 2xx one was empty."""
        try:
            with gevent.Timeout(self._timeout_s):
                answer = self._exchange(b"".join((self._heads[body], self._bodies.body(body))))
        except gevent.Timeout:
            self.last_error = f"no answer within {self._timeout_s:g} s"
            return TRANSPORT_ERROR
        except (OSError, HTTPParseError) as error:
            self.last_error = f"{type(error).__name__}: {error}"
            return TRANSPORT_ERROR
        status = int(answer.get_code())
        if not 200 <= status < 300:
            self.last_error = f"HTTP {status}: {answer.excerpt.decode('utf-8', 'replace')}"
        elif not answer.n_bytes:
            self.last_error = f"HTTP {status} with an empty answer"
            return TRANSPORT_ERROR
        return status

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def _exchange(self, message: bytes) -> Answer:
        connection = self._connection()
        reusable = False
        try:
            connection.sendall(message)
            answer = Answer()
            while not answer.message_complete or answer.get_code() < 200:
                block = connection.recv(_BLOCK_BYTES)
                answer.feed(block)
                if not block and not answer.message_complete:
                    raise ConnectionResetError("the connection was closed before the answer was whole")
            reusable = not answer.should_close()
        finally:
            if reusable:
                self._idle.append((connection, monotonic()))
            else:
                connection.close()
        return answer

    def _connection(self) -> Any:
        """The connection used last; a new one where all have idled long enough for the server to close them."""
        if self._idle:
            connection, since_s = self._idle.pop()
            if monotonic() - since_s < _IDLE_S:
                return connection
            connection.close()
            self.close()
        connection = create_connection(self._address)
        # else the tail of a large body may wait for the server's acknowledgement (Nagle's algorithm)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


class Answer(HTTPResponse):
    """Locust's HTTP parser, told to keep of an answer only its status, its size and how it begins."""

    def __init__(self) -> None:
        super().__init__("POST")
        self.n_bytes = 0
        self.excerpt = b""

    def _on_status(self, _: str) -> None:
        pass

    def _on_header_field(self, _: str) -> None:
        pass

    def _on_header_value(self, _: str) -> None:
        pass

    def _on_headers_complete(self) -> bool:
        self.headers_complete = True
        return False

    def _on_body(self, block: bytearray) -> None:
        if not self.n_bytes:
            self.excerpt = bytes(block[:_EXCERPT_BYTES])
        self.n_bytes += len(block)
        if self.n_bytes > MAX_ANSWER_BYTES:
            raise HTTPParseError(f"an answer over {MAX_ANSWER_BYTES} bytes")
