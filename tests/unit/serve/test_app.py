"""The ASGI callable alone: routes, methods, bounded bodies, a scorer that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import orjson
import pytest

from harness import oip
from harness.serve import stats
from harness.serve.app import App, best_first
from harness.serve.stats import Board

INFER = {"path": "/v2/models/m/infer", "method": "POST", "headers": []}
MAX_BODY_BYTES = 65_536 + 32 * 50 * 3


class RowSums:
    """Scores are the sums of the features; 13 candidates are one too many for it."""

    info: ClassVar = {"threads": 1, "float64": True}

    def score(self, x: Any) -> Any:
        if x.shape[0] == 13:
            raise ValueError("thirteen \ud800")
        return x.sum(axis=1)


@pytest.fixture
def board() -> Iterator[Board]:
    with Board.file(1) as file:
        yield Board(file.fileno())


@pytest.fixture
def app(board: Board) -> App:
    return App(RowSums(), model="m", engine="sums", n_features=3, max_candidates=50, board=board, worker=0)


@pytest.fixture
def ask(app: App) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    def ask(
        path: str = "/v2/models/m/infer",
        method: str = "POST",
        chunks: Any = (b"",),
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        messages[-1]["more_body"] = False
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        pairs = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        asyncio.run(app({"path": path, "method": method, "headers": pairs}, receive, send))
        start, body = sent
        answer = {name.decode(): value.decode() for name, value in start["headers"]}
        assert int(answer["content-length"]) == len(body["body"])
        return start["status"], answer, body["body"]

    return ask


@pytest.mark.parametrize("encoding", ["binary", "json"])
@pytest.mark.parametrize("n_chunks", [1, 3])
def test_scores_and_order(ask: Any, board: Board, encoding: Any, n_chunks: int) -> None:
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    body, headers = oip.encode_request(x, encoding, top_k=4, request_id="r")
    step = -(-len(body) // n_chunks)
    status, headers, answer = ask(chunks=[body[i : i + step] for i in range(0, len(body), step)], headers=headers)
    scores, order = oip.decode_response(headers, answer)
    assert status == 200
    np.testing.assert_array_equal(scores, x.sum(axis=1))
    np.testing.assert_array_equal(order, np.argsort(-scores, kind="stable")[:4])
    assert board.totals()[stats.FIRST_STATUS] == 1


def test_doubles_reach_an_engine_that_tells_them_apart(ask: Any) -> None:
    x = np.array([[1.0, 1e-12, -1.0]])
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": x.ravel().tolist()}
    status, headers, answer = ask(chunks=[orjson.dumps({"inputs": [tensor]})])
    assert status == 200
    assert oip.decode_response(headers, answer)[0] > 0  # as float32 they would cancel


def test_no_candidates_have_no_scores(ask: Any) -> None:
    body, headers = oip.encode_request(np.empty((0, 3), np.float32), "binary", top_k=3)
    status, headers, answer = ask(chunks=[body], headers=headers)
    assert status == 200
    assert [part.size for part in oip.decode_response(headers, answer)] == [0, 0]


def test_best_first_is_stable_and_puts_nan_last() -> None:
    scores = np.array([1, np.nan, 2, 1, -np.inf, 2], dtype=np.float32)
    np.testing.assert_array_equal(best_first(scores, 9), [2, 5, 0, 3, 4, 1])
    assert best_first(scores, 2).dtype == np.int32


def test_a_failing_scorer_is_a_500_and_no_more(ask: Any, board: Board, caplog: pytest.LogCaptureFixture) -> None:
    body, headers = oip.encode_request(np.zeros((13, 3), np.float32), "binary")
    with caplog.at_level(logging.CRITICAL, logger="harness.serve"):
        for _ in range(3):
            status, _, answer = ask(chunks=[body], headers=headers)
    assert status == 500
    assert "scoring failed: ValueError: thirteen" in orjson.loads(answer)["error"]
    body, headers = oip.encode_request(np.zeros((1, 3), np.float32), "binary")
    assert ask(chunks=[body], headers=headers)[0] == 200
    np.testing.assert_array_equal(board.totals()[stats.FIRST_STATUS :][:4], [1, 0, 0, 3])


def test_a_body_over_the_limit_is_refused_before_it_is_read(ask: Any) -> None:
    status, _, answer = ask(chunks=[b"never asked for"], headers={"content-length": str(MAX_BODY_BYTES + 1)})
    assert status == 413
    assert str(MAX_BODY_BYTES) in orjson.loads(answer)["error"]
    assert ask(headers={"content-length": "9" * 30})[0] == 413


def test_a_chunked_body_is_cut_off_at_the_limit(app: App) -> None:
    n_read = 0

    async def receive() -> dict[str, Any]:
        nonlocal n_read
        n_read += 1000
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 413) == 413

    asyncio.run(app(INFER, receive, send))
    assert MAX_BODY_BYTES < n_read <= MAX_BODY_BYTES + 1000


def test_a_client_that_leaves_gets_no_answer(app: App, board: Board) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    asyncio.run(app(INFER, receive, send))
    assert board.totals().sum() == 0


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v2/models/m/infer", "GET", 405),
        ("/v2/health/live", "POST", 405),
        ("/metrics", "DELETE", 405),
        ("/v2/models/other/infer", "POST", 404),
        ("/", "GET", 404),
        ("/v2/models/m/", "GET", 404),
    ],
)
def test_wrong_paths_and_methods(ask: Any, path: str, method: str, status: int) -> None:
    got, headers, body = ask(path, method)
    assert got == status
    assert orjson.loads(body)["error"]
    assert ("allow" in headers) == (status == 405)


def test_what_the_server_says_of_itself(ask: Any, board: Board) -> None:
    assert orjson.loads(ask("/v2/health/live", "GET")[2]) == {"live": True}
    assert ask("/v2/health/ready", "GET")[0] == 503
    board.slot(0).ready()
    assert ask("/v2/health/ready", "GET")[0] == ask("/v2/models/m/ready", "GET")[0] == 200
    metadata = orjson.loads(ask("/v2/models/m", "GET")[2])
    assert (metadata["name"], metadata["platform"]) == ("m", "sums")
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]
    assert metadata["parameters"]["engine_info"] == RowSums.info
    assert metadata["parameters"]["datatypes"] == ["FP32", "FP64"]
    assert "binary_tensor_data" in orjson.loads(ask("/v2", "GET")[2])["extensions"]
    assert b"harness_requests_total" in ask("/metrics", "GET")[2]
