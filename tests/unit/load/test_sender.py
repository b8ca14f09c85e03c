"""One request over real sockets: what counts as an answer, and that no connection is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest
from gevent.pool import Pool
from gevent.server import StreamServer
from geventhttpclient.client import HTTPClientPool
from geventhttpclient.url import URL

from harness.load import sender as sender_module
from harness.load.bodies import open_bodies, write_bodies
from harness.load.sender import Sender
from harness.samples import TRANSPORT_ERROR

CAP = 3
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
Answer = bytes | Callable[[Any], None]


class Peer:
    """A server that gives the same answer to every request and counts connections."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.n_connections, self.bodies = answer, 0, []
        self.server = StreamServer(("127.0.0.1", 0), self._serve, spawn=Pool())
        self.server.start()

    def _serve(self, connection: Any, _: object) -> None:
        self.n_connections += 1
        reader = connection.makefile("rb")
        try:
            self._answer_all(connection, reader)
        except OSError:
            return
        finally:
            reader.close()
            connection.close()

    def _answer_all(self, connection: Any, reader: Any) -> None:
        while reader.readline():
            head = list(takewhile(lambda line: line not in (b"\r\n", b""), reader))
            length = next(int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length"))
            self.bodies.append(reader.read(length))
            if callable(self.answer):
                self.answer(connection)
                return
            connection.sendall(self.answer)


@pytest.fixture
def meet(tmp_path: Path) -> Iterator[Callable[[Answer], tuple[Peer, Sender, Any]]]:
    write_bodies([np.ones((200, 136), np.float32)], "binary", tmp_path)
    opened = []

    def connect(answer: Answer, timeout_s: float = 10.0) -> tuple[Peer, Sender, Any]:
        peer = Peer(answer)
        url = f"http://127.0.0.1:{peer.server.server_port}/v2/models/m/infer"
        client = HTTPClientPool(concurrency=CAP, network_timeout=timeout_s).get_client(URL(url))
        opened.append((peer, client))
        return peer, Sender(client._connection_pool, url, open_bodies(tmp_path), timeout_s), client._connection_pool

    yield connect
    for peer, client in opened:
        client.close()
        peer.server.stop(timeout=0)


def test_a_good_answer_reuses_one_connection_and_carries_the_whole_body(meet: Any) -> None:
    peer, sender, _ = meet(OK)
    assert [sender.send(0) for _ in range(5)] == [200] * 5
    assert peer.n_connections == 1
    assert {len(body) for body in peer.bodies} == {len(peer.bodies[0])}
    assert len(peer.bodies[0]) > 200 * 136 * 4
    assert sender.last_error == ""


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nwhy??", 500, "HTTP 500: why??"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 503, "HTTP 503"),
        (b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 302, "HTTP 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", TRANSPORT_ERROR, "empty"),
        (b"nonsense\r\n\r\n", TRANSPORT_ERROR, "HTTPParseError"),
    ],
)
def test_bad_answers(meet: Any, answer: bytes, status: int, said: str) -> None:
    peer, sender, _ = meet(answer)
    assert [sender.send(0) for _ in range(2 * CAP)] == [status] * (2 * CAP)
    assert len(peer.bodies) == 2 * CAP  # neither retried nor redirected
    assert said in sender.last_error


def hang_up(connection: Any) -> None:
    connection.close()


def truncate(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot a hundred")
    connection.close()


def trickle_head(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for i in count():
        gevent.sleep(0.01)
        connection.sendall(b"X-%d: y\r\n" % i)


def trickle_body(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        gevent.sleep(0.01)
        connection.sendall(b"x")


def silence(_: Any) -> None:
    gevent.sleep(30)


def flood(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + bytes(65_536) + b"\r\n")


@pytest.mark.parametrize("behaviour", [hang_up, truncate, trickle_head, trickle_body, silence])
def test_no_fault_of_the_server_loses_a_connection(meet: Any, behaviour: Callable[[Any], None]) -> None:
    _, sender, pool = meet(behaviour, timeout_s=0.2)
    for _ in range(CAP + 1):  # with a connection lost per request, the last would wait for ever
        with gevent.Timeout(10):
            assert sender.send(0) == TRANSPORT_ERROR
    assert sender.last_error
    assert pool._semaphore.counter == CAP


def test_an_endless_answer_is_cut_off(meet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "MAX_ANSWER_BYTES", 1_000_000)
    _, sender, pool = meet(flood)
    assert sender.send(0) == TRANSPORT_ERROR
    assert "1000000 bytes" in sender.last_error
    assert pool._semaphore.counter == CAP


def test_a_large_answer_is_read_whole(meet: Any) -> None:
    peer, sender, _ = meet(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000))
    assert [sender.send(0) for _ in range(3)] == [200] * 3
    assert peer.n_connections == 1


def test_a_server_that_does_not_read_times_out_in_the_middle_of_sending(tmp_path: Path) -> None:
    write_bodies([np.ones((20_000, 136), np.float32)], "binary", tmp_path)
    server = StreamServer(("127.0.0.1", 0), lambda *_: gevent.sleep(30), spawn=Pool())
    server.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    pool = HTTPClientPool(concurrency=CAP).get_client(URL(url))._connection_pool
    sender = Sender(pool, url, open_bodies(tmp_path), 0.1)
    assert [sender.send(0) for _ in range(CAP + 1)] == [TRANSPORT_ERROR] * (CAP + 1)
    assert pool._semaphore.counter == CAP
    server.stop(timeout=0)


def test_nobody_there(meet: Any) -> None:
    peer, sender, _ = meet(OK)
    peer.server.stop(timeout=0)
    assert sender.send(0) == TRANSPORT_ERROR
    assert "ConnectionRefusedError" in sender.last_error
