"""One request at a time to an endpoint: a bounded answer, no redirect followed, no credential in any message."""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections.abc import Mapping

from harness.access import Credentials, address_of, tls_context
from harness.errors import TargetError
from harness.protocols import Reply
from harness.scenario import Access

_BLOCK_BYTES = 65_536
_ERRORS = (OSError, http.client.HTTPException, ValueError)


class Client:
    """Asks one URL, over a connection of its own each time. TargetError where that may not be or does not work."""

    def __init__(
        self, url: str, access: Access, timeout_s: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self._address = address_of(url, remote=access.remote)
        self._credentials = Credentials(access, os.environ if environment is None else environment)
        self._context = tls_context(access, ssl.SSLContext) if self._address.tls else None
        self._timeout_s, self._limit = timeout_s, int(access.max_answer_mb * 1e6)

    @property
    def path(self) -> str:
        """Path of the URL, without a query."""
        return self._address.path

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a request to the URL; its time includes connecting."""
        return self._ask("POST", self._address.target, body, headers)

    def get(self, path: str) -> Reply:
        """Read another resource of the same server."""
        return self._ask("GET", path, None, {})

    def excerpt(self, reply: Reply) -> str:
        """`HTTP 500: <how it begins>`, without any credential that it repeats."""
        return f"HTTP {reply.status}: {self._credentials.excerpt(reply.body)}"

    def _ask(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        address = self._address
        connection = (
            http.client.HTTPConnection(address.host, address.port, timeout=self._timeout_s)
            if self._context is None
            else http.client.HTTPSConnection(address.host, address.port, timeout=self._timeout_s, context=self._context)
        )
        started = time.perf_counter()
        deadline = time.monotonic() + self._timeout_s
        try:
            connection.request(method, target, body, {**headers, **self._credentials.headers})
            with connection.getresponse() as answer:
                whole = self._read(answer, deadline)
                names = {name.lower(): value for name, value in answer.getheaders()}
                return Reply(answer.status, names, whole, (time.perf_counter() - started) * 1e3)
        except _ERRORS as error:
            reason = self._credentials.excerpt(f"{type(error).__name__}: {error}".encode())
            raise TargetError(
                f"no answer: {reason}", where=self.url, remedy="check that it runs, and that url is right"
            ) from None
        finally:
            connection.close()

    def _read(self, answer: http.client.HTTPResponse, deadline: float) -> bytes:
        blocks, n_bytes = [], 0
        while block := answer.read1(_BLOCK_BYTES):
            blocks.append(block)
            n_bytes += len(block)
            if n_bytes > self._limit:
                raise ValueError(f"an answer over {self._limit} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no whole answer within {self._timeout_s:g} s")
        return b"".join(blocks)
