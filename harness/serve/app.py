"""The server as a bare ASGI callable: routes, the bounded body, and scoring inline in the event loop.

Scoring inline keeps a worker to one request at a time, so its queue is the sockets'; a thread pool would only add
hand-overs to a task that is short and holds its core.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter_ns
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from harness import __version__, oip
from harness.oip.wire import parse_header_length
from harness.protocols import Scorer
from harness.serve import metrics
from harness.serve.stats import Board, Slot

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_JSON_BYTES_PER_NUMBER = 32
_JSON_BYTES_BESIDE = 65_536
_HEADER_LENGTH = oip.HEADER_LENGTH.lower().encode()
_MAX_DIGITS = 18
_LOGGED_FAILURES = 10

log = logging.getLogger("harness.serve")


class App:
    """ASGI application that serves one model. `worker` is the index of this process's slot on the board."""

    def __init__(
        self,
        scorer: Scorer,
        *,
        model: str,
        engine: str,
        n_features: int,
        max_candidates: int,
        board: Board,
        worker: int,
    ) -> None:
        self._scorer = scorer
        self._model = model
        self._n_features = n_features
        self._max_candidates = max_candidates
        self._datatypes = ("FP32", "FP64") if scorer.info.get("float64") else ("FP32",)
        self._max_body_bytes = _JSON_BYTES_BESIDE + _JSON_BYTES_PER_NUMBER * max_candidates * n_features
        self._board = board
        self._slot: Slot = board.slot(worker)
        self._failures = 0
        self._infer_path = f"/v2/models/{model}/infer"
        metadata = {
            "name": model,
            "versions": [],
            "platform": engine,
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, n_features]}],
            "outputs": [
                {"name": "scores", "datatype": "FP32", "shape": [-1]},
                {"name": "order", "datatype": "INT32", "shape": [-1]},
            ],
            "parameters": {
                "max_candidates": max_candidates,
                "datatypes": self._datatypes,
                "engine_info": dict(scorer.info),
            },
        }
        self._documents = {
            "/v2": _dump(
                {"name": "ranking-latency-harness", "version": __version__, "extensions": ["binary_tensor_data"]}
            ),
            "/v2/health/live": _dump({"live": True}),
            f"/v2/models/{model}": _dump(metadata),
        }
        self._readiness = ("/v2/health/ready", f"/v2/models/{model}/ready")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["path"] != self._infer_path:
            await self._describe(scope, send)
        elif scope["method"] != "POST":
            await _fail(send, 405, "expected POST", ((b"allow", b"POST"),))
        else:
            await self._infer(scope, receive, send)

    async def _infer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            header_length, n_bytes = _lengths(scope["headers"])
            body = await self._read(receive, n_bytes)
            if body is None:
                return
            start = perf_counter_ns()
            request = oip.decode_request(header_length, body, self._n_features, self._max_candidates, self._datatypes)
        except oip.OipError as error:
            self._slot.count(error.status)
            await _fail(send, error.status, error.what)
            return
        try:
            before = perf_counter_ns()
            scores = self._scorer.score(request.x)
            after = perf_counter_ns()
            order = None if request.top_k is None else best_first(scores, request.top_k)
            answer, headers = oip.encode_response(scores, order, self._model, request.id, request.binary_output)
        except Exception as error:
            self._slot.count(500)
            self._failures += 1
            if self._failures <= _LOGGED_FAILURES:
                log.exception("scoring %d candidates failed", request.x.shape[0])
            await _fail(send, 500, f"scoring failed: {type(error).__name__}: {error}")
            return
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._slot.scored(perf_counter_ns() - start, after - before)  # counted before the client can ask for the count
        await _answer(send, 200, answer, pairs)

    async def _read(self, receive: Receive, n_bytes: int | None) -> bytes | None:
        """The whole body; None where the client has gone. OipError 413 as soon as it is too long."""
        limit = self._max_body_bytes
        parts: list[bytes] = []
        size = n_bytes or 0
        while size <= limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts) if len(parts) > 1 else parts[0]
            if n_bytes is None:
                size += len(parts[-1])
        raise oip.OipError(f"at most {limit} bytes per request, for {self._max_candidates} candidates", status=413)

    async def _describe(self, scope: Scope, send: Send) -> None:
        path = scope["path"]
        status, content_type = 200, b"application/json"
        if path in self._documents:
            document = self._documents[path]
        elif path in self._readiness:
            ready = self._board.all_ready
            status = 200 if ready else 503
            document = _dump({"ready": ready})
        elif path == "/metrics":
            content_type = b"text/plain; version=0.0.4; charset=utf-8"
            document = metrics.render(self._board)
        else:
            await _fail(send, 404, f"nothing at this path; scores are at POST {self._infer_path}")
            return
        if scope["method"] == "GET":
            await _answer(send, status, document, [(b"content-type", content_type)])
        else:
            await _fail(send, 405, "expected GET", ((b"allow", b"GET"),))


def best_first(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Indices of the k best scores, best first; equal scores keep their order, NaN comes last."""
    return np.argsort(-scores, kind="stable")[:k].astype(np.int32)


def _lengths(headers: list[tuple[bytes, bytes]]) -> tuple[int | None, int | None]:
    header_length = n_bytes = None
    for name, value in headers:
        if name == b"content-length":
            n_bytes = int(value[:_MAX_DIGITS])
        elif name == _HEADER_LENGTH:
            header_length = parse_header_length(value)
    return header_length, n_bytes


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _fail(send: Send, status: int, what: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    document = _dump({"error": what.encode(errors="replace").decode()})
    await _answer(send, status, document, [(b"content-type", b"application/json"), *headers])


def _dump(value: object) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
