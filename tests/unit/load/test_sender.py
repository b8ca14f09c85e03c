"""One request over real sockets: what counts as an answer, and that no connection is ever lost."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gevent
import numpy as np
import pytest
from gevent.pool import Pool
from gevent.server import StreamServer
from gevent.socket import wait_read
from gevent.ssl import SSLContext

from harness.access import Credentials
from harness.load import sender as sender_module
from harness.load.answer_store import AnswerStore, unpacked
from harness.load.bodies import open_bodies, write_bodies
from harness.load.load_plan import Target
from harness.load.sender import Sender
from harness.samples import NO_ANSWER, TRANSPORT_ERROR
from harness.scenario import Access, Choice

BINARY = Choice.model_validate({"kind": "oip", "encoding": "binary"})
NAMES = tuple(f"f{i}" for i in range(136))
FINE, LOST = (200, 0), (TRANSPORT_ERROR, NO_ANSWER)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
Answer = bytes | Callable[[Any], None]


class Peer:
    """A server that gives the same answer to every request and counts connections."""

    def __init__(self, answer: Answer, context: Any = None) -> None:
        self.answer, self.n_connections, self.bodies, self.heads = answer, 0, [], []
        tls = {"ssl_context": context} if context else {}
        self.server = StreamServer(("127.0.0.1", 0), self._serve, spawn=Pool(), **tls)
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
            self.heads.append(b"".join(head))
            self.bodies.append(reader.read(length))
            if callable(self.answer):
                self.answer(connection)
                return
            connection.sendall(self.answer)


@pytest.fixture
def store() -> AnswerStore:
    return AnswerStore(0)


@pytest.fixture
def meet(tmp_path: Path, store: AnswerStore) -> Iterator[Callable[[Answer], tuple[Peer, Sender]]]:
    write_bodies([np.ones((200, 136), np.float32)], NAMES, BINARY, tmp_path)
    opened = []

    def connect(
        answer: Answer,
        timeout_s: float = 10.0,
        context: Any = None,
        environment: Any = MappingProxyType({}),
        **access: Any,
    ) -> tuple[Peer, Sender]:
        peer = Peer(answer, context)
        scheme = "https" if context else "http"
        url = f"{scheme}://127.0.0.1:{peer.server.server_port}/v2/models/m/infer"
        target = Target("target", url, BINARY, Access(**access))
        hide = Credentials(target.access, environment).hidden
        sender = Sender(target, open_bodies(tmp_path), timeout_s, partial(store.index, 0, hide), environment)
        opened.append((peer, sender))
        return peer, sender

    connect.bodies = open_bodies(tmp_path)
    yield connect
    for peer, sender in opened:
        sender.close()
        peer.server.stop(timeout=0)


def test_a_good_answer_reuses_one_connection_and_carries_the_whole_body(meet: Any) -> None:
    peer, sender = meet(OK)
    assert [sender.send(0) for _ in range(5)] == [FINE] * 5
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
    peer, sender = meet(answer)
    assert [sender.send(0) for _ in range(6)] == [(status, NO_ANSWER)] * 6
    assert len(peer.bodies) == 6  # neither retried nor redirected
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
def test_a_broken_connection_is_a_failure_and_never_used_again(meet: Any, behaviour: Callable[[Any], None]) -> None:
    peer, sender = meet(behaviour, timeout_s=0.2)
    assert [sender.send(0) for _ in range(3)] == [LOST] * 3
    assert sender.last_error
    assert peer.n_connections == 3
    peer.answer = OK
    assert [sender.send(0) for _ in range(2)] == [FINE] * 2
    assert peer.n_connections == 4


def test_a_connection_that_the_server_may_have_closed_is_not_used(meet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peer, sender = meet(OK)
    monkeypatch.setattr(sender_module, "_IDLE_S", 0.0)
    assert [sender.send(0) for _ in range(3)] == [FINE] * 3
    assert peer.n_connections == 3


ANSWERS = count(1)


def numbered() -> bytes:
    """An answer that differs from the ones before, so that it can be told whose it is."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%08d" % next(ANSWERS)


def await_more(sender: Sender) -> None:
    """Until something has come in on the idle connections: more bytes, or their end."""
    for connection, _ in sender._idle:
        wait_read(connection.fileno(), timeout=10)


def twice_at_once(connection: Any) -> None:
    connection.sendall(numbered() + OK)
    gevent.sleep(30)


def twice_in_two_pieces(connection: Any) -> None:
    connection.sendall(numbered())
    gevent.sleep(0)
    connection.sendall(OK)
    gevent.sleep(30)


def some_bytes_more(connection: Any) -> None:
    connection.sendall(numbered() + b"more")
    gevent.sleep(30)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("behaviour", [twice_at_once, twice_in_two_pieces, some_bytes_more])
def test_what_is_left_of_an_answer_is_never_taken_for_the_next(
    meet: Any, store: AnswerStore, certificate: Any, behaviour: Callable[[Any], None], tls: bool
) -> None:
    secured = {"context": server_side(certificate), "tls_ca": str(certificate.ca)} if tls else {}
    peer, sender = meet(behaviour, **secured)
    assert sender.send(0)[0] == 200
    await_more(sender)
    peer.answer = OK.replace(b"fine", b"next")
    assert [sender.send(0) for _ in range(3)] == [(200, 1)] * 3
    assert (sender.n_out_of_step, peer.n_connections) == (1, 2)
    first, second = (kept.answer for kept in unpacked(store.take(1000)))
    assert (len(first), second) == (8, b"next")


def test_bytes_after_the_last_answer_are_counted_when_the_connections_are_closed(meet: Any) -> None:
    _, sender = meet(twice_in_two_pieces)
    assert sender.send(0)[0] == 200
    await_more(sender)
    sender.close()
    assert sender.n_out_of_step == 1


def test_a_server_that_closes_after_each_answer_is_in_step_and_loses_no_request(meet: Any) -> None:
    def answer_and_close(connection: Any) -> None:
        connection.sendall(OK)

    peer, sender = meet(answer_and_close)
    for _ in range(3):
        assert sender.send(0) == FINE
        await_more(sender)
    assert (peer.n_connections, sender.n_out_of_step) == (3, 0)


def test_connections_number_those_in_use_at_a_time(meet: Any) -> None:
    def slow(connection: Any) -> None:
        gevent.sleep(0.1)
        connection.sendall(OK)
        gevent.sleep(10)

    peer, sender = meet(slow)
    for attempt in gevent.joinall([gevent.spawn(sender.send, 0) for _ in range(4)]):
        assert attempt.value == FINE
    peer.answer = OK
    assert peer.n_connections == 4


def test_an_interim_answer_is_not_the_answer(meet: Any) -> None:
    _, sender = meet(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)
    assert [sender.send(0) for _ in range(2)] == [FINE] * 2


def test_an_answer_may_end_with_the_connection(meet: Any) -> None:
    def close_after(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nthe end is the end")

    _, sender = meet(close_after)
    assert sender.send(0) == FINE


def test_an_endless_answer_is_cut_off(meet: Any) -> None:
    _, sender = meet(flood, max_answer_mb=1.0)
    assert sender.send(0) == LOST
    assert "1000000 bytes" in sender.last_error


def test_a_large_answer_is_read_whole(meet: Any) -> None:
    peer, sender = meet(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000))
    assert [sender.send(0) for _ in range(3)] == [FINE] * 3
    assert peer.n_connections == 1


def test_a_server_that_does_not_read_times_out_in_the_middle_of_sending(tmp_path: Path) -> None:
    write_bodies([np.ones((20_000, 136), np.float32)], NAMES, BINARY, tmp_path)
    server = StreamServer(("127.0.0.1", 0), lambda *_: gevent.sleep(30), spawn=Pool())
    server.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    sender = Sender(Target("target", url), open_bodies(tmp_path), 0.1, partial(AnswerStore(0).index, 0, bytes))
    assert [sender.send(0) for _ in range(2)] == [LOST] * 2
    server.stop(timeout=0)


def test_nobody_there(meet: Any) -> None:
    peer, sender = meet(OK)
    peer.server.stop(timeout=0)
    assert sender.send(0) == LOST
    assert "ConnectionRefusedError" in sender.last_error


def test_distinct_answers_are_kept_with_the_headers_that_reading_them_needs(meet: Any, store: AnswerStore) -> None:
    def answer(body: bytes) -> bytes:
        lines = (b"X-Empty:", b"Inference-Header-Content-Length: 3", b"Date: today", b"Content-Length: %d" % len(body))
        return b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + body

    peer, sender = meet(answer(b"{} raw"))
    assert [sender.send(0), sender.send(0)] == [(200, 0), (200, 0)]
    peer.answer = answer(b"{} other")
    assert sender.send(0) == (200, 1)
    peer.answer = answer(b"{} raw")
    assert sender.send(0) == (200, 0)
    kept = list(unpacked(store.take(1000)))
    assert [entry.answer for entry in kept] == [b"{} raw", b"{} other"]
    assert kept[0].head == "inference-header-content-length: 3\n"


def test_an_answer_in_many_small_pieces_is_kept_whole(meet: Any, store: AnswerStore) -> None:
    def drip(connection: Any) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: 12\r\nContent-Length: 5\r\n\r\npiece":
            connection.sendall(bytes([byte]))
            gevent.sleep(0)

    _, sender = meet(drip)
    assert sender.send(0) == FINE
    (kept,) = unpacked(store.take(1000))
    assert (kept.answer, kept.head) == (b"piece", "inference-header-content-length: 12\n")


def test_credentials_are_sent_and_hidden_in_what_comes_back(meet: Any, store: AnswerStore) -> None:
    echo = b"no entry for Bearer tok-123 with key-456"
    environment = {"TOKEN": "tok-123", "KEY": "key-456"}
    keys = {"bearer_env": "TOKEN", "headers_env": {"X-Api-Key": "KEY"}}
    peer, sender = meet(
        b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n" % len(echo) + echo, environment=environment, **keys
    )
    assert sender.send(0) == (403, NO_ANSWER)
    assert b"Authorization: Bearer tok-123\r\n" in peer.heads[0]
    assert b"X-Api-Key: key-456\r\n" in peer.heads[0]
    assert sender.last_error == "HTTP 403: no entry for Bearer *** with ***"
    peer.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ntok-123"
    assert sender.send(0) == FINE
    assert [kept.answer for kept in unpacked(store.take(1000))] == [b"***"]


def test_tls_with_the_right_authority_reuses_its_connection(meet: Any, certificate: Any) -> None:
    peer, sender = meet(OK, context=server_side(certificate), tls_ca=str(certificate.ca))
    assert [sender.send(0) for _ in range(3)] == [FINE] * 3
    assert peer.n_connections == 1
    assert len(peer.bodies[0]) > 200 * 136 * 4


def test_an_unknown_authority_is_a_failure_unless_that_is_allowed(meet: Any, certificate: Any) -> None:
    _, sender = meet(OK, context=server_side(certificate))
    assert sender.send(0) == LOST
    assert "CERTIFICATE_VERIFY_FAILED" in sender.last_error
    _, trusting = meet(OK, context=server_side(certificate), tls_verify=False)
    assert trusting.send(0) == FINE


def test_a_certificate_for_another_name_is_a_failure(meet: Any, certificate: Any) -> None:
    peer, _ = meet(OK, context=server_side(certificate), tls_ca=str(certificate.ca))
    url = f"https://localhost:{peer.server.server_port}/"
    access = Access(tls_ca=str(certificate.ca))
    bodies = meet.bodies
    sender = Sender(Target("target", url, BINARY, access), bodies, 10.0, partial(AnswerStore(0).index, 0, bytes), {})
    assert sender.send(0) == LOST
    assert "CERTIFICATE_VERIFY_FAILED" in sender.last_error


def test_a_handshake_that_never_ends_ends_by_the_time_out(meet: Any, certificate: Any) -> None:
    server = StreamServer(("127.0.0.1", 0), lambda *_: gevent.sleep(30), spawn=Pool())
    server.start()
    access = Access(tls_ca=str(certificate.ca))
    target = Target("target", f"https://127.0.0.1:{server.server_port}/", BINARY, access)
    sender = Sender(target, meet.bodies, 0.2, partial(AnswerStore(0).index, 0, bytes), {})
    assert sender.send(0) == LOST
    assert sender.last_error == "no answer within 0.2 s"
    server.stop(timeout=0)


def server_side(certificate: Any) -> SSLContext:
    context = SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
