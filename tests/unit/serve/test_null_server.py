"""The null server as its users start it: well-formed answers of the right length, whatever way bytes arrive."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest

from harness import oip
from harness.serve.null_server import NullServer, null_server


@pytest.fixture(scope="module")
def server() -> Iterator[NullServer]:
    with null_server() as running:
        yield running


@pytest.fixture
def connection(server: NullServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    yield connection
    connection.close()


@pytest.mark.parametrize("encoding", ["binary", "json"])
@pytest.mark.parametrize("n", [0, 1, 100, 3000])
def test_as_many_zero_scores_as_candidates_on_one_connection(server, connection, encoding, n):
    body, headers = oip.encode_request(np.ones((n, 136), np.float32), encoding)
    for _ in range(3):
        connection.request("POST", urlsplit(server.url).path, body, headers)
        answer = connection.getresponse()
        scores, order = oip.decode_response(dict(answer.headers), answer.read())
        assert answer.status == 200
        assert order is None
        np.testing.assert_array_equal(scores, np.zeros(n))
        assert ("octet-stream" in answer.headers["Content-Type"]) == (encoding == "binary")


def test_it_is_ready(connection):
    connection.request("GET", "/v2/health/ready")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b'{"ready": true}')


def test_requests_in_pieces_and_several_in_one_piece(server):
    body, headers = oip.encode_request(np.ones((7, 136), np.float32), "binary")
    head = "POST /x HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, 600, 50):
            peer.sendall(request[start : start + 50])
        peer.sendall(request[600:] + request + request)
        answers = peer.makefile("rb")
        for _ in range(3):
            answer = dict(line.decode().strip().split(": ") for line in iter(answers.readline, b"\r\n") if b":" in line)
            scores, _ = oip.decode_response(answer, answers.read(int(answer["Content-Length"])))
            assert scores.size == 7


@pytest.mark.parametrize("nonsense", [b"DELETE / HTTP/1.1\r\n\r\n", b"x" * 70_000])
def test_what_is_no_request_is_refused(server, nonsense):
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as peer:
        peer.sendall(nonsense)
        assert peer.recv(12) == b"HTTP/1.1 400"


def test_the_command_prints_its_url_first_and_runs_where_it_is_told():
    cpu = min(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "harness.serve.null_server", "--port", "0", "--cpus", str(cpu)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = urlsplit(process.stdout.readline().strip())
        assert (url.scheme, url.hostname) == ("http", "127.0.0.1")
        assert os.sched_getaffinity(process.pid) == {cpu}
        socket.create_connection((url.hostname, url.port), timeout=20).close()
        process.kill()


def test_it_dies_with_its_parent():
    script = (
        "import signal\nfrom harness.serve.null_server import null_server\n"
        "with null_server() as server:\n    print(server.pid, flush=True)\n    signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        server = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    psutil.wait_procs([server], timeout=20)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
