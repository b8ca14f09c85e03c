"""Infer requests: a candidate list, how much of its order is wanted, and the form of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.oip.wire import FP32, FP64, OipError, from_json, from_raw, join, kind_of, parameters_of, split
from harness.ranking_data import Features

_OUTPUTS = ("scores", "order")
_TYPES: dict[str, np.dtype[Any]] = {"FP32": FP32, "FP64": FP64}


class InferRequest(NamedTuple):
    """A decoded request: candidates x (n, d), C-contiguous and writable; the form the answer should take."""

    x: NDArray[Any]
    top_k: int | None
    id: str | None
    binary_output: bool


def encode_request(
    x: Features,
    encoding: Literal["binary", "json"],
    top_k: int | None = None,
    request_id: str | None = None,
) -> tuple[bytes, dict[str, str]]:
    """Body and HTTP headers of a request to score x (n, d); the answer comes in the same encoding.

    OipError where x has an infinity and the encoding is JSON, which can't carry one.
    """
    x = np.ascontiguousarray(x, dtype=FP32)
    tensor: dict[str, Any] = {"name": "x", "shape": list(x.shape), "datatype": "FP32"}
    parameters: dict[str, Any] = {}
    message: dict[str, Any] = {"inputs": [tensor]}
    tensors = []
    if request_id is not None:
        message["id"] = request_id
    if top_k is not None:
        parameters["top_k"] = top_k
    if encoding == "binary":
        parameters["binary_data_output"] = True
        tensor["parameters"] = {"binary_data_size": x.nbytes}
        tensors.append(x.tobytes())
    elif np.isinf(x).any():
        raise OipError("JSON can't carry the infinite features of this request; use the binary encoding")
    else:
        tensor["data"] = x.ravel()
    if parameters:
        message["parameters"] = parameters
    return join(message, tensors)


def decode_request(
    header_length: int | None,
    body: bytes,
    n_features: int,
    max_candidates: int,
    datatypes: Sequence[str] = ("FP32",),
) -> InferRequest:
    """Read and check a request for a model of `n_features` that takes `datatypes`, of FP32 and FP64.

    `header_length` is that of the HTTP header, None where the body is all JSON. The answer is binary where
    `parameters.binary_data_output`, or `binary_data` of any requested output, is true. Raises OipError (status 400, or
    413 for more than `max_candidates`) that says what was expected.
    """
    message, raw = split(header_length, body)
    inputs = message.get("inputs")
    if type(inputs) is not list or len(inputs) != 1 or type(inputs[0]) is not dict or inputs[0].get("name") != "x":
        raise OipError('expected "inputs" with exactly one tensor, named "x"')
    tensor = inputs[0]
    if tensor.get("datatype") not in datatypes:
        raise OipError(f"datatype of x must be {' or '.join(datatypes)}")
    dtype = _TYPES[tensor["datatype"]]
    n = _n_candidates(tensor.get("shape"), n_features, max_candidates)
    shape = (n, n_features)
    parameters = parameters_of(message, "the request")
    size = parameters_of(tensor, "x").get("binary_data_size")
    if size is None:
        if len(raw):
            raise OipError(f"{len(raw)} bytes follow the JSON, but x has no parameters.binary_data_size")
        x = from_json(tensor.get("data"), shape, "x", dtype)
    else:
        expected = n * n_features * dtype.itemsize
        if type(size) is not int or size != expected:
            raise OipError(f"binary_data_size of x must be {expected} bytes for shape {list(shape)}")
        if "data" in tensor:
            raise OipError("x has both data and binary_data_size; expected one of them")
        if len(raw) != expected:
            raise OipError(f"expected {expected} bytes of x after the JSON, got {len(raw)}")
        x = from_raw(raw, shape, dtype)
    return InferRequest(x, _top_k(parameters), _id(message), _binary_output(message, parameters))


def _n_candidates(shape: Any, n_features: int, max_candidates: int) -> int:
    if type(shape) is not list or len(shape) != 2 or type(shape[0]) is not int or type(shape[1]) is not int:
        raise OipError(f"shape of x must be [n, {n_features}] in whole numbers")
    n: int = shape[0]
    if n < 0 or shape[1] != n_features:
        raise OipError(f"shape of x must be [n, {n_features}] with n >= 0, got {shape}")
    if n > max_candidates:
        raise OipError(f"at most {max_candidates} candidates per request, got {n}", status=413)
    return n


def _top_k(parameters: dict[str, Any]) -> int | None:
    top_k = parameters.get("top_k")
    if top_k is None:
        return None
    if type(top_k) is not int or top_k < 1:
        raise OipError("parameters.top_k must be a whole number >= 1")
    return top_k


def _id(message: dict[str, Any]) -> str | None:
    request_id = message.get("id")
    if request_id is None or type(request_id) is str:
        return request_id
    raise OipError(f"id must be a string, got {kind_of(request_id)}")


def _binary_output(message: dict[str, Any], parameters: dict[str, Any]) -> bool:
    wanted = [parameters.get("binary_data_output", False)]
    outputs = message.get("outputs")
    if outputs is not None:
        if type(outputs) is not list or any(type(o) is not dict or o.get("name") not in _OUTPUTS for o in outputs):
            raise OipError(f"outputs may only name {' and '.join(_OUTPUTS)}")
        wanted += [parameters_of(output, "an output").get("binary_data", False) for output in outputs]
    if any(type(flag) is not bool for flag in wanted):
        raise OipError("binary_data and binary_data_output must be true or false")
    return any(wanted)
