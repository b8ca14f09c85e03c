"""Asking a real HTTP server: what it takes, what it costs, what it must not be told, and how it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from harness.errors import TargetError
from harness.oip import decode_request, encode_response, header_length
from harness.scenario import Access, Choice, options
from harness.target.client import Client
from harness.target.endpoint import settled, when_ready
from harness.target.probe import probe, random_request

OIP, RANK = Choice(kind="oip"), Choice(kind="rank")
Answer = tuple[int, dict[str, str], bytes]


class Oip:
    """A server of the protocol for 12 features, which counts what it is asked."""

    def __init__(self, *, binary: bool = True) -> None:
        self.binary, self.asked = binary, []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append((method, path))
        if method == "GET":
            tensors = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 12]}], "outputs": []}
            return 200, {}, json.dumps({"name": "m", **tensors}).encode()
        if header_length(headers) and not self.binary:
            return 415, {}, b"JSON only"
        x = decode_request(header_length(headers), body, 12, 1000).x
        answer, own = encode_response(x[:, 0], None, "m", None, header_length(headers) is not None)
        return 200, own, answer


@pytest.mark.parametrize("binary", [True, False])
def test_it_finds_out_width_and_encoding_in_few_requests(serve_http: Callable[..., str], binary: bool) -> None:
    server = Oip(binary=binary)
    found = probe(f"{serve_http(server)}/v2/models/m/infer", Access(), OIP, 30, None, 10.0)
    assert len(server.asked) <= 20
    assert found.adapter["encoding"] == ("binary" if binary else "json")
    assert (found.n_features, found.n_candidates, found.n_failed, found.problem) == (12, 30, 0, "")
    assert (found.answer, found.metadata["name"]) == ("scores", "m")
    assert 0 < found.round_trip_ms_min <= found.round_trip_ms_median
    assert found.bytes_out > 30 * 12
    assert found.bytes_in > 30
    assert found.refused == ({} if binary else {"binary": "HTTP 415: JSON only"})


def test_what_is_wrong_with_an_answer_is_told(serve_http: Callable[..., str]) -> None:
    url = serve_http(lambda *_: (200, {}, b'["0", "0"]'))
    assert probe(url, Access(), RANK, 2, 3, 10.0).problem == "not-a-permutation"
    assert "items" in probe(serve_http(lambda *_: (200, {}, b"{}")), Access(), RANK, 2, 3, 10.0).problem


def test_an_endpoint_that_does_not_say_its_width_needs_it_named(serve_http: Callable[..., str]) -> None:
    with pytest.raises(TargetError, match="--n-features"):
        probe(serve_http(lambda *_: (200, {}, b"[]")), Access(), RANK, 2, None, 10.0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {}, b"broken"), "HTTP 500: broken"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), r"HTTP 302: .*redirects are not followed"),
        ((200, {}, bytes(3_000_000)), "an answer over 1000000 bytes"),
    ],
)
def test_no_answer_worth_the_name(serve_http: Callable[..., str], answer: Answer, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        probe(serve_http(lambda *_: answer), Access(max_answer_mb=1), RANK, 2, 3, 10.0)


def test_nobody_there(free_port: int) -> None:
    with pytest.raises(TargetError, match="ConnectionRefusedError"):
        probe(f"http://127.0.0.1:{free_port}/", Access(), RANK, 2, 3, 10.0)


def test_credentials_are_sent_and_never_told(serve_http: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "tok-123")

    def echo(_: str, __: str, headers: Mapping[str, str], ___: bytes) -> Answer:
        return 403, {}, f"who is {headers['authorization']}?".encode()

    with pytest.raises(TargetError, match=r"HTTP 403: who is Bearer \*\*\*\?") as caught:
        probe(serve_http(echo), Access(bearer_env="TOKEN"), RANK, 2, 3, 10.0)
    assert "tok-123" not in str(caught.value)


def test_tls(serve_http: Callable[..., str], certificate: Any) -> None:
    url = serve_http(lambda *_: (200, {}, b'["1", "0"]'), certificate, host="127.0.0.2")
    assert probe(url, Access(tls_ca=str(certificate.ca)), RANK, 2, 3, 10.0).answer == "order"
    assert probe(url, Access(tls_verify=False), RANK, 2, 3, 10.0).answer == "order"
    with pytest.raises(TargetError, match="CERTIFICATE_VERIFY_FAILED"):
        probe(url, Access(), RANK, 2, 3, 10.0)


def test_an_endpoint_that_fails_now_and_then_is_known_all_the_same(serve_http: Callable[..., str]) -> None:
    answers = iter([(503, {}, b""), (503, {}, b""), (200, {}, b"[]")])
    client = Client(serve_http(lambda *_: next(answers)), Access(), 10.0)
    adapter, _ = settled(client, RANK, options("adapters", RANK), random_request(2, 3))
    assert adapter.options["features_as"] == "list"


def test_waiting_ends_with_the_first_answer_or_the_time() -> None:
    tries = iter([TargetError("not yet"), TargetError("not yet"), None])

    def attempt() -> str:
        error = next(tries)
        if error:
            raise error
        return "up"

    assert when_ready(attempt, lambda: None, 60.0) == "up"

    def never() -> None:
        raise TargetError("refused", where="there")

    with pytest.raises(TargetError, match="not ready after 0 s: refused"):
        when_ready(never, lambda: None, 0.0)


def test_what_can_not_become_ready_is_not_waited_for() -> None:
    def dead() -> None:
        raise TargetError("the command ended")

    with pytest.raises(TargetError, match="the command ended"):
        when_ready(lambda: None, dead, 60.0)


def test_random_candidates_are_seeded() -> None:
    np.testing.assert_array_equal(random_request(4, 3).x, random_request(4, 3).x)
