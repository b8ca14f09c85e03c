"""The oip adapter against real Open Inference Protocol bytes: our own codec, and the shapes other servers give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from harness.adapters import oip
from harness.errors import HarnessError, TargetError
from harness.oip import decode_request, encode_response, header_length
from harness.protocols import RankingRequest, Reply

X = np.array([[1.5, np.nan], [-2.0, 0.1], [0.0, 3e38]], np.float32)
REQUEST = RankingRequest("body-7", X, ("a", "b"))


def closed(**keys: Any) -> oip.Options:
    return oip.Options(**{"encoding": "json", **keys})


@pytest.mark.parametrize("encoding", ["binary", "json"])
def test_our_own_server_reads_every_value(encoding: str) -> None:
    body, headers = oip.encode(closed(encoding=encoding), REQUEST)
    read = decode_request(header_length(headers), body, 2, 10)
    np.testing.assert_array_equal(read.x, X)
    assert (read.id, read.binary_output) == ("body-7", encoding == "binary")


@pytest.mark.parametrize("binary", [True, False])
def test_scores_of_our_own_server(binary: bool) -> None:
    scores = np.array([0.1, -3, 7], np.float32)
    body, headers = encode_response(scores, None, "m", None, binary)
    ranking = oip.decode(closed(), headers, body, 3)
    np.testing.assert_array_equal(ranking.scores, scores)


def test_another_name_and_width() -> None:
    message = json.loads(oip.encode(closed(input="predict_in", datatype="FP64"), REQUEST)[0])
    (tensor,) = message["inputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("predict_in", "FP64", [3, 2])
    assert tensor["data"][3] == float(np.float32(0.1))  # widened, not rounded anew


@pytest.mark.parametrize(("nan", "text"), [("null", b"1.5,null"), ("literal", b"1.5, NaN")])
def test_a_missing_feature_in_json(nan: str, text: bytes) -> None:
    assert text in oip.encode(closed(nan=nan), REQUEST)[0]


def test_what_json_can_not_carry_is_an_error() -> None:
    with pytest.raises(HarnessError, match=r"no NaN for the missing features.*adapter\.nan"):
        oip.encode(closed(nan="refuse"), REQUEST)
    with pytest.raises(HarnessError, match="infinite features"):
        oip.encode(closed(), RankingRequest("i", np.array([[np.inf]], np.float32), ("a",)))


def output(**keys: Any) -> dict[str, Any]:
    return {"name": "predict", "datatype": "FP64", "shape": [3, 1], "data": [1.0, 2.0, 3.0], **keys}


@pytest.mark.parametrize(
    "outputs",
    [
        [output()],
        [output(shape=[3])],
        [output(data=[[1.0], [2.0], [3.0]])],
        [output(datatype="FP32", shape=[3])],
        [output(), {"name": "other", "datatype": "BYTES", "shape": [1], "data": ["x"]}],
    ],
)
def test_scores_in_the_shapes_that_servers_give(outputs: list[Any]) -> None:
    ranking = oip.decode(closed(), {}, json.dumps({"outputs": outputs}).encode(), 3)
    np.testing.assert_array_equal(ranking.scores, [1, 2, 3])


def test_the_named_output_is_found_behind_raw_bytes_of_others() -> None:
    raw = np.arange(4, dtype="<i8").tobytes() + np.array([5, 6], "<f4").tobytes()
    outputs = [
        {"name": "ids", "datatype": "INT64", "shape": [4], "parameters": {"binary_data_size": 32}},
        {"name": "score", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
    ]
    head = json.dumps({"outputs": outputs}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    np.testing.assert_array_equal(oip.decode(closed(output="score"), headers, head + raw, 2).scores, [5, 6])


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"outputs": []}', b'{"outputs": [3]}', b"\xff", b'{"outputs": {"a": 1}}',
        *(
            json.dumps({"outputs": [output(**keys)]}).encode()
            for keys in (
                {"datatype": "BYTES"}, {"datatype": ["FP32"]}, {"shape": [3, 2]}, {"shape": "3"}, {"shape": [-1]},
                {"shape": [4]}, {"data": "abc"}, {"data": [1, 2, "x"]}, {"data": None},
                {"parameters": {"binary_data_size": 8}}, {"parameters": {"binary_data_size": -8}}, {"parameters": 3},
            )
        ),
    ],
)  # fmt: skip
def test_a_malformed_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(HarnessError):
        oip.decode(closed(), {}, body, 3)
    with pytest.raises(HarnessError):
        oip.decode(closed(output="absent"), {}, body, 3)


class Endpoint:
    """Answers from a function, as if over HTTP."""

    path = "/v2/models/m/infer"

    def __init__(self, infer: Callable[[bytes, Mapping[str, str]], Reply], metadata: dict[str, Any] | None) -> None:
        self.infer, self.metadata, self.asked = infer, metadata, []

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.asked.append(body)
        return self.infer(body, headers)

    def get(self, path: str) -> Reply:
        assert path == "/v2/models/m"
        if self.metadata is None:
            return Reply(404, {}, b"not here", 1.0)
        return Reply(200, {}, json.dumps(self.metadata).encode(), 1.0)

    def excerpt(self, reply: Reply) -> str:
        return f"HTTP {reply.status}: {reply.body.decode()}"


def scoring(body: bytes, headers: Mapping[str, str]) -> Reply:
    n = decode_request(header_length(headers), body, 2, 10).x.shape[0]
    answer, own = encode_response(np.zeros(n, np.float32), None, "m", None, header_length(headers) is not None)
    return Reply(200, {name.lower(): value for name, value in own.items()}, answer, 1.0)


def only_json(body: bytes, headers: Mapping[str, str]) -> Reply:
    return Reply(415, {}, b"JSON only", 1.0) if header_length(headers) else scoring(body, headers)


def json_whatever_was_asked(body: bytes, headers: Mapping[str, str]) -> Reply:
    """Takes binary by its status, and scores nothing of it."""
    return Reply(200, {}, b'{"outputs": []}', 1.0) if header_length(headers) else scoring(body, headers)


def test_auto_takes_binary_where_a_real_request_works() -> None:
    endpoint = Endpoint(scoring, None)
    options, facts = oip.settle(oip.Options(), endpoint, REQUEST)
    assert (options.encoding, len(endpoint.asked), facts["refused"]) == ("binary", 1, {})


@pytest.mark.parametrize("infer", [only_json, json_whatever_was_asked])
def test_auto_takes_json_where_binary_does_not_give_scores(infer: Any) -> None:
    metadata = {"extensions": ["binary_tensor_data"], "inputs": [], "outputs": []}
    options, facts = oip.settle(oip.Options(), Endpoint(infer, metadata), REQUEST)
    assert options.encoding == "json"
    assert "binary" in facts["refused"]
    assert facts["metadata"] == metadata


def test_auto_says_why_neither_works() -> None:
    endpoint = Endpoint(lambda *_: Reply(400, {}, b"wrong width", 1.0), None)
    with pytest.raises(TargetError, match=r"binary: HTTP 400: wrong width; json: HTTP 400: wrong width"):
        oip.settle(oip.Options(), endpoint, REQUEST)


def test_names_and_datatype_come_from_the_metadata_unless_given() -> None:
    metadata = {
        "inputs": [{"name": "features", "datatype": "FP64", "shape": [-1, 136]}],
        "outputs": [{"name": "predict", "datatype": "FP64", "shape": [-1]}],
    }
    endpoint = Endpoint(scoring, metadata)
    options, _ = oip.settle(closed(), endpoint, REQUEST)
    assert (options.input, options.datatype, options.output, endpoint.asked) == ("features", "FP64", "predict", [])
    kept, _ = oip.settle(closed(input="x", datatype="FP32", output="s"), endpoint, REQUEST)
    assert (kept.input, kept.datatype, kept.output) == ("x", "FP32", "s")
    assert oip.width(oip.Options(), endpoint) == 136
    assert oip.width(oip.Options(), Endpoint(scoring, None)) is None


@pytest.mark.parametrize("metadata", [{"inputs": 3}, {"inputs": [3]}, {"inputs": [{"name": 3}]}, {"inputs": None}])
def test_odd_metadata_is_as_good_as_none(metadata: dict[str, Any]) -> None:
    options, _ = oip.settle(closed(), Endpoint(scoring, metadata), REQUEST)
    assert (options.input, options.datatype) == (None, None)
