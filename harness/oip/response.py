"""Infer responses: the scores of a candidate list, and its best candidates in order where they were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.oip.wire import FP32, INT32, OipError, from_json, from_raw, header_length, join, parameters_of, split

_OUTPUTS = {"scores": ("FP32", FP32), "order": ("INT32", INT32)}


def encode_response(
    scores: NDArray[np.float32], order: NDArray[np.int32] | None, model: str, request_id: str | None, binary: bool
) -> tuple[bytes, dict[str, str]]:
    """Body and HTTP headers of an answer: scores (n,) and, unless None, order (k,)."""
    outputs: list[dict[str, Any]] = []
    tensors: list[bytes] = []
    for name, values in (("scores", scores), ("order", order)):
        if values is None:
            continue
        datatype, dtype = _OUTPUTS[name]
        raw = np.ascontiguousarray(values, dtype=dtype)
        output: dict[str, Any] = {"name": name, "shape": [raw.size], "datatype": datatype}
        if binary:
            output["parameters"] = {"binary_data_size": raw.nbytes}
            tensors.append(raw.tobytes())
        else:
            output["data"] = raw
        outputs.append(output)
    message: dict[str, Any] = {"model_name": model, "outputs": outputs}
    if request_id is not None:
        message["id"] = request_id
    return join(message, tensors)


def decode_response(headers: Mapping[str, str], body: bytes) -> tuple[NDArray[np.float32], NDArray[np.int32] | None]:
    """Scores (n,) and order (k,) or None of an answer; OipError (status 502) where it is malformed."""
    try:
        return _decode(header_length(headers), body)
    except OipError as error:
        raise OipError(f"malformed answer: {error.what}", status=502) from error


def _decode(length: int | None, body: bytes) -> tuple[NDArray[np.float32], NDArray[np.int32] | None]:
    message, raw = split(length, body)
    outputs = message.get("outputs")
    if type(outputs) is not list:
        raise OipError('expected "outputs" with a tensor named "scores"')
    found: dict[str, NDArray[Any]] = {}
    for output in outputs:
        name = output.get("name") if type(output) is dict else None
        if type(name) is not str or name not in _OUTPUTS or name in found:
            raise OipError("outputs may only be scores and order, once each")
        found[name], raw = _tensor(name, output, raw)
    if len(raw):
        raise OipError(f"{len(raw)} bytes after the last tensor")
    if "scores" not in found:
        raise OipError("no scores in the answer")
    return found["scores"], found.get("order")


def _tensor(name: str, output: dict[str, Any], raw: memoryview) -> tuple[NDArray[Any], memoryview]:
    datatype, dtype = _OUTPUTS[name]
    shape = output.get("shape")
    if output.get("datatype") != datatype:
        raise OipError(f"datatype of {name} must be {datatype}")
    if type(shape) is not list or len(shape) != 1 or type(shape[0]) is not int or shape[0] < 0:
        raise OipError(f"shape of {name} must be [n] with a whole n >= 0")
    size = parameters_of(output, name).get("binary_data_size")
    if size is None:
        return from_json(output.get("data"), (shape[0],), name, dtype), raw
    if type(size) is not int or size != shape[0] * 4 or size > len(raw):
        raise OipError(f"binary_data_size of {name} must be {shape[0] * 4} and at most the {len(raw)} bytes left")
    return from_raw(raw[:size], (shape[0],), dtype), raw[size:]
