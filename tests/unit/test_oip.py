"""The codec: what is encoded is decoded to the bit; anything else is an OipError that says what was expected."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness import oip

FLOATS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6),
    elements=st.floats(width=32, allow_infinity=False),
)
X = np.array([[1.5, np.nan], [-2.0, 3.25], [0.0, -0.0]], dtype=np.float32)


def decode(body: bytes, headers: dict[str, str], n_features: int = 2) -> oip.InferRequest:
    return oip.decode_request(oip.header_length(headers), body, n_features, 100)


@pytest.mark.parametrize("binary", [True, False])
def test_doubles_arrive_whole_where_the_model_takes_them(binary: bool) -> None:
    x = np.array([[1 + 1e-12, np.nan], [-1e300, 5e-324]])
    tensor: dict[str, Any] = {"name": "x", "shape": [2, 2], "datatype": "FP64"}
    tensor |= {"parameters": {"binary_data_size": 32}} if binary else {"data": [1 + 1e-12, None, -1e300, 5e-324]}
    text = orjson.dumps({"inputs": [tensor]})
    body = text + x.tobytes() if binary else text
    request = oip.decode_request(len(text) if binary else None, body, 2, 100, ("FP32", "FP64"))
    assert request.x.dtype == np.float64
    np.testing.assert_array_equal(request.x, x)
    with pytest.raises(oip.OipError, match=r"datatype of x must be FP32$"):
        oip.decode_request(len(text) if binary else None, body, 2, 100)


def message(**changes: Any) -> dict[str, Any]:
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2.5]}
    return {"inputs": [{**tensor, **changes}]}


@pytest.mark.parametrize("encoding", ["binary", "json"])
@given(x=FLOATS, top_k=st.none() | st.integers(1, 50), request_id=st.none() | st.text(max_size=5))
def test_a_request_comes_back_as_it_was(encoding: Any, x: Any, top_k: int | None, request_id: str | None) -> None:
    request = decode(*oip.encode_request(x, encoding, top_k, request_id), n_features=x.shape[1])
    np.testing.assert_array_equal(request.x, x)
    assert request.x.dtype == np.float32
    assert request.x.flags.c_contiguous
    assert request.x.flags.writeable
    assert request.x.flags.aligned
    assert request[1:] == (top_k, request_id, encoding == "binary")


@pytest.mark.parametrize("binary", [True, False])
@given(scores=FLOATS.map(np.ravel), with_order=st.booleans(), request_id=st.none() | st.text(max_size=5))
def test_a_response_comes_back_as_it_was(binary: bool, scores: Any, with_order: bool, request_id: str | None) -> None:
    order = np.arange(scores.size, dtype=np.int32)[::-1] if with_order else None
    body, headers = oip.encode_response(scores, order, "m", request_id, binary)
    got_scores, got_order = oip.decode_response(headers, body)
    np.testing.assert_array_equal(got_scores, scores)
    assert (got_order is None) == (order is None)
    if order is not None:
        np.testing.assert_array_equal(got_order, order)


def test_the_binary_form_carries_infinities_and_json_refuses_them() -> None:
    x = np.array([[np.inf, -np.inf]], dtype=np.float32)
    np.testing.assert_array_equal(decode(*oip.encode_request(x, "binary")).x, x)
    with pytest.raises(oip.OipError, match="use the binary encoding"):
        oip.encode_request(x, "json")


def test_json_data_may_be_nested_and_null_is_missing() -> None:
    nested = message(shape=[2, 2], data=[[1, None], [3.5, -4]])
    np.testing.assert_array_equal(decode(orjson.dumps(nested), {}).x, [[1, np.nan], [3.5, -4]])


@pytest.mark.parametrize(
    "extra",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "scores", "parameters": {"binary_data": True}}]},
    ],
)
def test_a_json_request_may_ask_for_a_binary_answer(extra: dict[str, Any]) -> None:
    assert decode(orjson.dumps(message() | extra), {}).binary_output


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "JSON object in UTF-8"),
        (b"\xff\xfe", "JSON object in UTF-8"),
        (b'{"inputs": "\xc3\x28"}', "UTF-8"),
        (b'{"inputs": [', "JSON object in UTF-8"),
        (b"[" * 5000, "JSON object in UTF-8"),
        (b"[1]", "JSON object, got a list"),
        ({}, "exactly one tensor"),
        ({"inputs": []}, "exactly one tensor"),
        ({"inputs": [1]}, "exactly one tensor"),
        ({"inputs": message()["inputs"] * 2}, "exactly one tensor"),
        (message(name="y"), 'named "x"'),
        (message(datatype="FP64"), "must be FP32"),
        (message(shape=[2]), r"\[n, 2\]"),
        (message(shape=[1, 3]), r"\[n, 2\]"),
        (message(shape=[-1, 2]), "n >= 0"),
        (message(shape=[1.0, 2]), "whole numbers"),
        (message(shape=[True, 2]), "whole numbers"),
        (message(shape=[None, 2]), "whole numbers"),
        (message(shape=[2**63, 2]), "at most 100 candidates"),
        (message(shape=[101, 2]), "at most 100 candidates"),
        (message(data=None), "a list of numbers, got null"),
        (message(data=[1]), "must have 2 numbers"),
        (message(data=[[1, 2], [3, 4]]), "1 lists of 2 numbers"),
        (message(data=[[1]]), "1 lists of 2 numbers"),
        (message(data=["1", "2"]), "numbers, or null"),
        (message(data=[True, 1]), "numbers, or null"),
        (message(data=[1, [2]]), "numbers, or null"),
        (message(data=[1e39, 0]), "beyond the range of FP32"),
        (message(parameters=3), "must be an object"),
        (message() | {"parameters": []}, "must be an object"),
        (message() | {"parameters": {"top_k": 0}}, "whole number >= 1"),
        (message() | {"parameters": {"top_k": True}}, "whole number >= 1"),
        (message() | {"parameters": {"binary_data_output": 1}}, "true or false"),
        (message() | {"id": 7}, "id must be a string"),
        (message() | {"outputs": [{"name": "z"}]}, "scores and order"),
        (message() | {"outputs": {}}, "scores and order"),
    ],
)
def test_a_wrong_request_is_told_what_was_expected(body: Any, expected: str) -> None:
    with pytest.raises(oip.OipError, match=expected) as caught:
        decode(body if isinstance(body, bytes) else orjson.dumps(body), {})
    assert caught.value.status == (413 if "at most" in expected else 400)


@pytest.mark.parametrize("change", [-24, -1, 1, 24])
def test_raw_bytes_must_be_exactly_those_of_the_shape(change: int) -> None:
    body, headers = oip.encode_request(X, "binary")
    with pytest.raises(oip.OipError, match="expected 24 bytes of x"):
        decode(body + bytes(change) if change > 0 else body[:change], headers)


@pytest.mark.parametrize(
    "length", ["0", "-1", "+5", "1e2", "", " 12", "٣", "99999999999999999999", "1000000", "5", "12.0"]
)
def test_a_wrong_header_length_is_refused(length: str) -> None:
    with pytest.raises(oip.OipError, match=r"Inference-Header|JSON object"):
        decode(oip.encode_request(X, "binary")[0], {"inference-header-content-length": length})


@pytest.mark.parametrize("size", [0, 23, -24, 24.0, "24", 2**62])
def test_binary_size_must_match_the_shape(size: Any) -> None:
    text = orjson.dumps({"inputs": [message(shape=[3, 2], parameters={"binary_data_size": size})["inputs"][0]]})
    with pytest.raises(oip.OipError, match="must be 24 bytes"):
        oip.decode_request(len(text), text + bytes(24), 2, 100)


def test_raw_bytes_without_a_declared_size_or_beside_data_are_refused() -> None:
    for tensor, expected in ((message(), "bytes follow"), (message(parameters={"binary_data_size": 8}), "both data")):
        text = orjson.dumps(tensor)
        with pytest.raises(oip.OipError, match=expected):
            oip.decode_request(len(text), text + bytes(8), 2, 100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def nearly_requests(draw: st.DrawFn) -> tuple[int | None, bytes]:
    """A valid request with a few of its parts replaced by any JSON, and any bytes after it."""
    whole: dict[str, Any] = message() | {"parameters": {}, "outputs": [], "id": ""}
    for place in draw(st.lists(st.sampled_from(["top", "tensor"]), max_size=3)):
        owner = whole if place == "top" else whole["inputs"][0] if isinstance(whole["inputs"], list) else whole
        if isinstance(owner, dict):
            owner[draw(st.sampled_from([*owner, "parameters", "binary_data_size"]))] = draw(JSON)
        if not isinstance(whole["inputs"], list) or not whole["inputs"]:
            break
    text = orjson.dumps(whole)
    length = draw(st.none() | st.just(len(text)) | st.integers(-5, 400))
    return length, text + draw(st.binary(max_size=20))


@given(request=st.tuples(st.none() | st.integers(-3, 60), st.binary(max_size=60)) | nearly_requests())
def test_any_bytes_decode_or_raise_an_oip_error(request: tuple[int | None, bytes]) -> None:
    try:
        decoded = oip.decode_request(*request, 2, 100)
    except oip.OipError as error:
        refusal = error
    else:
        assert decoded.x.shape[1] == 2
        return
    assert refusal.status in (400, 413)
    assert len(refusal.what) < 400


@given(length=st.none() | st.text(max_size=4) | st.integers(0, 60).map(str), body=st.binary(max_size=60), fault=JSON)
def test_any_answer_decodes_or_raises_an_oip_error(length: str | None, body: bytes, fault: Any) -> None:
    headers = {} if length is None else {oip.HEADER_LENGTH: length}
    for key in ("name", "shape", "datatype", "data", "parameters"):
        output = {"name": "scores", "shape": [1], "datatype": "FP32", "data": [1.0], key: fault}
        for text in (body, orjson.dumps({"outputs": [output]})):
            with suppress(oip.OipError):
                oip.decode_response(headers, text)


def test_a_truncated_or_overlong_answer_is_malformed() -> None:
    body, headers = oip.encode_response(X[:, 0], np.arange(3, dtype=np.int32), "m", None, True)
    for wrong in (body[:-1], body + b"\0", body[:40]):
        with pytest.raises(oip.OipError, match="malformed answer") as caught:
            oip.decode_response(headers, wrong)
        assert caught.value.status == 502
