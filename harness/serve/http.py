"""Uvicorn on httptools and uvloop, and nothing slower; quiet on SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness.errors import ServeError

if TYPE_CHECKING:
    from harness.serve.app import App

_KEEP_ALIVE_S = 600
_GRACE_S = 1


class _Server(uvicorn.Server):  # type: ignore[misc]
    """Uvicorn's server that leaves SIGINT alone (the launcher ends its workers) and ends normally on SIGTERM."""

    on_ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        if not isinstance(loop, uvloop.Loop) or self.config.http_protocol_class is not HttpToolsProtocol:
            raise ServeError(f"serving on {type(loop)} and {self.config.http_protocol_class}, not uvloop and httptools")
        self.on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        signal.signal(signal.SIGTERM, self._stop)
        yield

    def _stop(self, *_: Any) -> None:
        self.should_exit = True
        logging.getLogger("uvicorn.error").setLevel(
            logging.CRITICAL
        )  # a half-sent request is cut off, with a traceback


def run(app: App, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve on a listening socket until SIGTERM; calls `on_ready` once requests are taken."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config)
    server.on_ready = on_ready
    server.run(sockets=[listening])
