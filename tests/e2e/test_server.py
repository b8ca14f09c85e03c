"""Real workers: scores over the wire equal direct ones, nothing a client sends stops them, none is orphaned."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil
import pytest

from harness import oip, registry, scoring
from harness.bundle import Bundle
from harness.errors import ServeError
from harness.ranking_data import Splits
from harness.scenario import Choice, Serve
from harness.serve.launcher import Server

NATIVE = Choice(kind="native")
INSTANT = Choice.model_validate({"kind": "fake", "mean_ms": 0})
ORPHAN_MAKER = """
import signal, sys, time
from pathlib import Path
from harness.scenario import Choice, Serve
from harness.serve.launcher import Server
bundle, run_dir = map(Path, sys.argv[1:])
signal.signal(signal.SIGINT, signal.default_int_handler)
with Server(bundle, Choice(kind="fake"), Serve(workers=2), (), run_dir, run_dir, "m") as server:
    print(*server.pids, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def bundle(teacher: Callable[[str], Bundle]) -> Bundle:
    return teacher("lightgbm")


@pytest.fixture(scope="module")
def start(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Server]:
    def start(
        path: Path = bundle.path, name: str = "m", engine: Choice = INSTANT, cpus: tuple[int, ...] = (), **serve: Any
    ) -> Server:
        run_dir = tmp_path_factory.mktemp("run")
        return Server(path, engine, Serve(max_candidates=200, **serve), cpus, run_dir, run_dir, name)

    return start


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Iterator[Server]:
    with start(engine=NATIVE) as server:
        yield server
        server.check()


def connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)


def ask(
    server: Server, body: Any = b"", headers: dict[str, str] | None = None, path: str = "", method: str = "POST"
) -> tuple[int, dict[str, str], bytes]:
    connection = connect(server)
    try:
        connection.request(method, path or f"/v2/models/{server.name}/infer", body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    """A zombie counts as gone: reaping it is up to whoever inherited it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("encoding", ["binary", "json"])
def test_scores_over_the_wire_are_those_of_direct_scoring(
    server: Server, bundle: Bundle, splits: Splits, encoding: Any
) -> None:
    data = splits.test
    for x in (data.features[data.rows_of(0)], data.features[:200], data.features[:1], data.features[:0]):
        status, headers, answer = ask(server, *oip.encode_request(x, encoding, top_k=5))
        scores, order = oip.decode_response(headers, answer)
        assert status == 200
        np.testing.assert_array_equal(scores, scoring.score(bundle, x))
        np.testing.assert_array_equal(order, np.argsort(-scores, kind="stable")[:5])


def test_many_requests_over_one_connection(server: Server, bundle: Bundle, splits: Splits) -> None:
    x = splits.test.features[:30]
    expected = scoring.score(bundle, x)
    connection = connect(server)
    for encoding in ("binary", "json") * 10:
        connection.request("POST", "/v2/models/m/infer", *oip.encode_request(x, encoding))
        answer = connection.getresponse()
        scores, order = oip.decode_response(dict(answer.headers), answer.read())
        np.testing.assert_array_equal(scores, expected)
        assert order is None
    connection.close()


BINARY, BINARY_HEADERS = oip.encode_request(np.zeros((2, 12), np.float32), "binary")


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        ({"body": b"\xff\xfe"}, 400),
        ({"body": b'{"inputs": []}'}, 400),
        ({"body": BINARY}, 400),
        ({"body": BINARY[:-4], "headers": BINARY_HEADERS}, 400),
        ({"body": BINARY, "headers": {oip.HEADER_LENGTH: "many"}}, 400),
        (dict(zip(("body", "headers"), oip.encode_request(np.zeros((2, 11), np.float32), "json"), strict=True)), 400),
        (dict(zip(("body", "headers"), oip.encode_request(np.zeros((201, 12), np.float32), "json"), strict=True)), 413),
        ({"body": bytes(2_000_000)}, 413),
        ({"body": (bytes(100_000) for _ in range(20))}, 413),
        ({"path": "/v2/models/other/infer"}, 404),
        ({"method": "PUT"}, 405),
    ],
)
def test_a_wrong_request_is_answered_and_the_server_stays_up(
    server: Server, request_of: dict[str, Any], status: int
) -> None:
    got, headers, body = ask(server, **request_of)
    assert got == status
    assert headers["content-type"] == "application/json"
    assert len(orjson.loads(body)["error"]) > 5
    assert ask(server, BINARY, BINARY_HEADERS)[0] == 200
    server.check()


def test_what_is_not_http_is_refused_and_the_server_stays_up(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    for raw in (b"\0" * 100, b"GET\r\n\r\n", b"POST /v2 HTTP/1.1\r\nContent-Length: -1\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=20) as client:
            client.sendall(raw)
            assert b" 400 " in client.recv(1000)
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(b"POST /v2/models/m/infer HTTP/1.1\r\nContent-Length: 500\r\n\r\nleft in the middle")
    assert ask(server, BINARY, BINARY_HEADERS)[0] == 200


def test_metadata_names_the_engine_and_its_inputs(server: Server) -> None:
    metadata = orjson.loads(ask(server, method="GET", path="/v2/models/m")[2])
    assert metadata == server.metadata
    assert metadata["platform"] == "native"
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 12]}]
    assert server.engine_info == metadata["parameters"]["engine_info"]
    assert server.infer_url == f"{server.url}/v2/models/m/infer"


def test_two_workers_serve_and_their_counts_are_summed(start: Callable[..., Server]) -> None:
    cpus = tuple(sorted(os.sched_getaffinity(0)))
    with start(workers=2, cpus=cpus) as server:
        for worker, pid in enumerate(server.pids):
            pinned = psutil.Process(pid).cpu_affinity()
            assert pinned == ([cpus[0]] if len(cpus) == 1 else list(cpus[worker::2]))
        assert np.isnan(server.stats()["service_us_p50"])
        for _ in range(30):
            ask(server, BINARY, BINARY_HEADERS)
        ask(server, b"{}")
        figures = server.stats()
        assert (figures["requests"], figures["errors"]) == (31, 1)
        assert 0 < figures["engine_us_p50"] <= figures["engine_us_p99"]
        assert figures["engine_us_mean"] < figures["service_us_mean"]
        assert figures["rss_mb"] > 10
        assert figures["cpu_s"] >= 0
        text = ask(server, method="GET", path="/metrics")[2].decode()
        assert 'harness_requests_total{status="200"} 30\n' in text
        assert text.count("harness_resident_memory_bytes{") == 2
        server.reset_stats()
        ask(server, BINARY, BINARY_HEADERS)
        assert server.stats()["requests"] == 1
        pids = server.pids
    assert all(gone(pid) for pid in pids)
    assert not server.alive()


def test_a_port_in_use_is_named_with_the_remedy(server: Server, start: Callable[..., Server]) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(ServeError, match=rf"127\.0\.0\.1:{port}: the port is already in use\n.*serve\.port: 0"):
        start(port=port).__enter__()


def test_a_port_is_free_again_at_once(start: Callable[..., Server]) -> None:
    with start() as first:
        port = int(first.url.rpartition(":")[2])
        ask(first, BINARY, BINARY_HEADERS)
    with start(port=port, name="again") as second:
        assert ask(second, BINARY, BINARY_HEADERS)[0] == 200


def test_ipv6_loopback(start: Callable[..., Server]) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with start(host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert ask(server, BINARY, BINARY_HEADERS)[0] == 200


def test_a_worker_that_cannot_start_says_why(start: Callable[..., Server], bundle: Bundle, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(bundle.path, broken)
    with (broken / bundle.artefact.name).open("ab") as file:
        file.write(b"!")
    before = psutil.Process().children()
    with pytest.raises(ServeError, match="does not match its digest") as caught:
        start(broken, workers=2).__enter__()
    assert "Traceback" not in str(caught.value)
    assert psutil.Process().children() == before


def test_a_server_that_is_not_ready_in_time_is_given_up(start: Callable[..., Server]) -> None:
    before = psutil.Process().children()
    with pytest.raises(ServeError, match=r"not ready after 0\.001 s"):
        start(ready_timeout_s=0.001).__enter__()
    assert psutil.Process().children() == before


def test_a_killed_worker_is_noticed_and_named(start: Callable[..., Server]) -> None:
    with start(workers=2) as server:
        assert server.alive()
        os.kill(server.pids[1], signal.SIGKILL)
        assert until(lambda: not server.alive())
        with pytest.raises(ServeError, match="m: server worker 1 was ended by SIGKILL") as caught:
            server.check()
        assert "memory" in caught.value.remedy
        assert server.stats()["requests"] == 0


def test_sigterm_ends_a_worker_quietly_and_ctrl_c_does_not_reach_it(start: Callable[..., Server]) -> None:
    with start() as server:
        (pid,) = server.pids
        os.kill(pid, signal.SIGINT)
        assert ask(server, BINARY, BINARY_HEADERS)[0] == 200
        held = connect(server)
        held.request("POST", "/v2/models/m/infer", BINARY, BINARY_HEADERS)
        assert held.getresponse().status == 200
        half_sent = connect(server)
        half_sent.putrequest("POST", "/v2/models/m/infer")
        half_sent.putheader("Content-Length", "500")
        half_sent.endheaders(b"{")
        assert ask(server, BINARY, BINARY_HEADERS)[0] == 200
        os.kill(pid, signal.SIGTERM)
        assert until(lambda: not server.alive())
        with pytest.raises(ServeError, match="ended with exit code 0"):
            server.check()
        held.close()
        half_sent.close()
    assert server.log_path.read_text() == ""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_launcher(bundle: Bundle, tmp_path: Path, how: signal.Signals) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", ORPHAN_MAKER, str(bundle.path), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(registry.__file__).parents[1])},
    )
    with launcher:
        assert launcher.stdout is not None
        pids = [int(pid) for pid in launcher.stdout.readline().split()]
        assert len(pids) == 2
        assert not any(gone(pid) for pid in pids)
        launcher.send_signal(how)
        launcher.wait(20)
    assert until(lambda: all(gone(pid) for pid in pids))
