"""Sending one request over kept-alive connections: an answer's status, or -1, and where the answer is kept."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from ssl import SSLWantReadError
from time import monotonic
from typing import Any

import gevent
from gevent.socket import create_connection
from gevent.ssl import SSLContext
from geventhttpclient.response import HTTPParseError, HTTPResponse

from harness import registry
from harness.access import Credentials, address_of, tls_context
from harness.load.bodies import Bodies
from harness.load.load_plan import Target
from harness.samples import NO_ANSWER, TRANSPORT_ERROR

Keep = Callable[[int, str, bytes], int]
"""Body index, kept header lines, answer -> the answer's index."""

_BLOCK_BYTES = 65_536
_IDLE_S = 1.0


class Sender:
    """Requests to one target, each sent once, over as many connections as are in use at a time.

    `n_out_of_step` counts connections that brought more than the answers asked for. What is left on one would be taken
    for the answer to the next request, and that one's for the next again, so it is never used again.

    Locust's `FastHttpUser` is not used for this: it follows redirects, keeps answers of any size, loses a connection
    for good when a time-out falls into sending, and takes twice the CPU time, which delays the other requests.
    """

    def __init__(
        self,
        target: Target,
        bodies: Bodies,
        timeout_s: float,
        keep: Keep,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        access = target.access
        self.credentials = Credentials(access, environment)
        self.last_error = ""
        self.n_out_of_step = 0
        self._address = address_of(target.url, remote=access.remote)
        self._context = tls_context(access, SSLContext) if self._address.tls else None
        own = "".join(f"{name}: {value}\r\n" for name, value in self.credentials.headers.items())
        self._heads = [
            bodies.head(index, self._address.target, self._address.authority, own) for index in range(len(bodies))
        ]
        self._bodies, self._timeout_s, self._keep = bodies, timeout_s, keep
        self._wanted = frozenset(registry.adapter(target.adapter.kind).ANSWER_HEADERS)
        self._limit = int(access.max_answer_mb * 1e6)
        self._idle: list[tuple[Any, float]] = []

    def send(self, body: int) -> tuple[int, int]:
        """The HTTP status of a whole answer, and where a 2xx one is kept.

        TRANSPORT_ERROR where none came in time or a 2xx one was empty; NO_ANSWER where nothing is kept.
        """
        try:
            with gevent.Timeout(self._timeout_s):
                answer = self._exchange(b"".join((self._heads[body], self._bodies.body(body))))
        except gevent.Timeout:
            self.last_error = f"no answer within {self._timeout_s:g} s"
            return TRANSPORT_ERROR, NO_ANSWER
        except (OSError, HTTPParseError) as error:
            self.last_error = self.credentials.excerpt(f"{type(error).__name__}: {error}".encode())
            return TRANSPORT_ERROR, NO_ANSWER
        status = int(answer.get_code())
        if not 200 <= status < 300:
            self.last_error = f"HTTP {status}: {self.credentials.excerpt(bytes(answer.body))}"
            return status, NO_ANSWER
        if not answer.body:
            self.last_error = f"HTTP {status} with an empty answer"
            return TRANSPORT_ERROR, NO_ANSWER
        return status, self._keep(body, answer.kept_head, bytes(answer.body))

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            connection, _ = self._idle.pop()
            self._in_step(connection)
            connection.close()

    def _exchange(self, message: bytes) -> Answer:
        connection = self._connection()
        reusable = False
        try:
            connection.sendall(message)
            answer = Answer(self._wanted, self._limit)
            while not answer.whole:
                block = connection.recv(_BLOCK_BYTES)
                answer.feed(block)
                if not block and not answer.whole:
                    raise ConnectionResetError("the connection was closed before the answer was whole")
            self.n_out_of_step += answer.followed
            reusable = not answer.should_close()
        finally:
            if reusable:
                self._idle.append((connection, monotonic()))
            else:
                connection.close()
        return answer

    def _connection(self) -> Any:
        """The connection used last, unless the server has closed it or is about to; else a new one."""
        while self._idle:
            connection, since_s = self._idle.pop()
            if self._in_step(connection) and monotonic() - since_s < _IDLE_S:
                return connection
            connection.close()
        connection = create_connection((self._address.host, self._address.port))
        # else the tail of a large body may wait for the server's acknowledgement (Nagle's algorithm)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is None:
            return connection
        secured = self._context.wrap_socket(
            connection, server_hostname=self._address.host, do_handshake_on_connect=False
        )
        try:
            secured.do_handshake()
        except BaseException:  # the time-out as well
            secured.close()
            raise
        return secured

    def _in_step(self, connection: Any) -> bool:
        """Whether an idle connection is open with nothing left to read; counts it where something is."""
        connection.settimeout(0.0)
        try:
            surplus = connection.recv(1)
        except (BlockingIOError, SSLWantReadError):  # the usual case; TLS may have had a message of its own
            connection.settimeout(None)
            return True
        except OSError:
            return False
        self.n_out_of_step += bool(surplus)
        return False


class Answer(HTTPResponse):
    """Locust's HTTP parser, told to keep of an answer its status, its body up to a limit, and the wanted headers.

    `whole` once the answer has ended (an interim one is not the answer); `followed` where more came with its end.
    """

    def __init__(self, wanted: frozenset[str], limit: int) -> None:
        super().__init__("POST")
        self.body = bytearray()
        self.kept_head = ""
        self.whole = self.followed = False
        self._wanted, self._limit = wanted, limit
        self._name = self._value = ""
        self._in_value = False

    def feed(self, data: str | bytes) -> None:
        """Parse more of the answer; what follows it is left unread. HTTPParseError where it is none, or too large."""
        try:
            super().feed(data)
        except HTTPParseError:
            if not self.whole:
                raise
            self.followed = True

    def _on_message_begin(self) -> None:
        if self.whole:
            raise HTTPParseError("a second answer")
        super()._on_message_begin()
        self.kept_head = ""

    def _on_message_complete(self) -> None:
        super()._on_message_complete()
        self.whole = self.get_code() >= 200

    def _on_status(self, _: str) -> None:
        pass

    def _on_header_field(self, piece: str) -> None:
        if self._in_value:
            self._end_header()
        self._name += piece

    def _on_header_value(self, piece: str) -> None:
        self._value += piece
        self._in_value = True

    def _end_header(self) -> None:
        name = self._name.lower()
        if name in self._wanted:
            self.kept_head += f"{name}: {self._value}\n"
        self._name = self._value = ""
        self._in_value = False

    def _on_headers_complete(self) -> bool:
        self._end_header()
        self.headers_complete = True
        return False

    def _on_body(self, block: bytearray) -> None:
        if len(self.body) + len(block) > self._limit:
            raise HTTPParseError(f"an answer over {self._limit} bytes")
        self.body += block
