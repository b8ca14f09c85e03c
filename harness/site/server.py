"""The HTTP server of the site: two methods, a few pages of our own, and files of known kinds."""

from __future__ import annotations

import http
import ipaddress
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness.errors import HarnessError, ServeError
from harness.site.files import TYPES, file_of, headers, path_of

Page = Callable[[], tuple[str, str]]
"""Makes a page: its content type and its text."""


class Site(ThreadingHTTPServer):
    """Serves `root` and `pages`, which are made anew for each request. ServeError where the address is taken."""

    daemon_threads = True

    def __init__(self, root: Path, pages: Mapping[str, Page], host: str, port: int) -> None:
        self.root, self.pages = root, pages
        try:
            self.address_family = _family(host)
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise ServeError(
                f"can't listen: {error.strerror or error}",
                where=f"{host}:{port}",
                remedy="choose another --port; 0 takes a free one",
            ) from error

    @property
    def url(self) -> str:
        """Where the site is."""
        host, port = self.server_address[:2]
        name = host.decode() if isinstance(host, bytes | bytearray) else str(host)
        return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"

    def names_this(self, asked: str) -> bool:
        """Whether a request's `Host` may mean this server.

        One that listens on loopback is asked by no other name, which keeps a page elsewhere from reading it by a name
        that resolves to this machine.
        """
        host = asked.rpartition(":")[0] if asked.rpartition(":")[2].isdigit() else asked
        return not _loopback(str(self.server_address[0])) or host == "localhost" or _loopback(host.strip("[]"))


class _Handler(BaseHTTPRequestHandler):
    server: Site
    server_version = "harness"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """Send a page or a file."""
        if not self.server.names_this(self.headers.get("Host", "")):
            self._fail(http.HTTPStatus.MISDIRECTED_REQUEST, "this server is not called that")
            return
        path = path_of(self.path)
        page = self.server.pages.get(path)
        try:
            if page is not None:
                content_type, text = page()
                self._send(http.HTTPStatus.OK, text.encode(), headers(content_type, own=True))
                return
            file = file_of(self.server.root, path)
            if file is None:
                self._fail(http.HTTPStatus.NOT_FOUND, "nothing here")
                return
            self._send(http.HTTPStatus.OK, file.read_bytes(), headers(TYPES[file.suffix], own=False))
        except (HarnessError, OSError) as error:
            self._fail(http.HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    do_HEAD = do_GET  # noqa: N815  (the name that http.server looks for)

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked is nobody's business."""

    def _fail(self, status: http.HTTPStatus, why: str) -> None:
        self._send(status, f"{status.value}: {why}\n".encode(), headers("text/plain; charset=utf-8", own=True))

    def _send(self, status: http.HTTPStatus, body: bytes, known: Mapping[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in known.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # who asked has gone


def _family(host: str) -> int:
    import socket

    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
