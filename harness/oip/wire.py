"""What both directions share: the error, the header that splits JSON from raw bytes, and tensors in either form."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from harness.errors import HarnessError

HEADER_LENGTH = "Inference-Header-Content-Length"
JSON_TYPE = "application/json"
BINARY_TYPE = "application/octet-stream"
FP32 = np.dtype("<f4")
FP64 = np.dtype("<f8")
INT32 = np.dtype("<i4")

_NUMBERS = {float, int, type(None)}
_MAX_DIGITS = 12


class OipError(HarnessError):
    """A message that is not valid Open Inference Protocol, or not what the model takes; `status` is the HTTP answer."""

    def __init__(self, what: str, *, status: int = 400) -> None:
        self.status = status
        super().__init__(what)


def header_length(headers: Mapping[str, str]) -> int | None:
    """Bytes of JSON before the raw tensors, from HTTP headers in any case; None where the message is all JSON."""
    for name, value in headers.items():
        if name.lower() == "inference-header-content-length":
            return parse_header_length(value)
    return None


def parse_header_length(value: str | bytes) -> int:
    """The number in an `Inference-Header-Content-Length` header; OipError where it is not a plain decimal number."""
    if value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        return int(value)
    raise OipError(f"{HEADER_LENGTH} must be a number of bytes, got {value[:32]!r}")


def split(length: int | None, body: bytes) -> tuple[dict[str, Any], memoryview]:
    """The JSON object of a message, and the raw bytes that follow it."""
    size = len(body)
    if length is None:
        length = size
    elif not 0 < length <= size:
        raise OipError(f"{HEADER_LENGTH} is {length}, but the body has {size} bytes")
    view = memoryview(body)
    try:
        message = orjson.loads(view[:length])
    except orjson.JSONDecodeError as error:
        raise OipError(f"expected a JSON object in UTF-8: {error}") from error
    if type(message) is not dict:
        raise OipError(f"expected a JSON object, got {kind_of(message)}")
    return message, view[length:]


def join(message: dict[str, Any], tensors: list[bytes]) -> tuple[bytes, dict[str, str]]:
    """Body and HTTP headers of a message whose raw tensors, if any, follow its JSON."""
    text = orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)
    if not tensors:
        return text, {"Content-Type": JSON_TYPE}
    return b"".join([text, *tensors]), {"Content-Type": BINARY_TYPE, HEADER_LENGTH: str(len(text))}


def parameters_of(owner: dict[str, Any], what: str) -> dict[str, Any]:
    """The `parameters` object of a message or tensor; empty where there is none."""
    parameters = owner.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        raise OipError(f"parameters of {what} must be an object, got {kind_of(parameters)}")
    return parameters


def from_json(data: Any, shape: tuple[int, ...], what: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array of `shape` from a flat or, for two dimensions, nested list; null is NaN where floats are expected."""
    if type(data) is not list:
        raise OipError(f"data of {what} must be a list of numbers, got {kind_of(data)}")
    if len(shape) == 2 and data and type(data[0]) is list:
        if len(data) != shape[0] or any(type(row) is not list or len(row) != shape[1] for row in data):
            raise OipError(f"nested data of {what} must be {shape[0]} lists of {shape[1]} numbers")
        data = list(chain.from_iterable(data))
    n_values = int(np.prod(shape, dtype=object))
    if len(data) != n_values:
        raise OipError(f"data of {what} must have {n_values} numbers for shape {list(shape)}, got {len(data)}")
    if dtype is INT32:
        if not set(map(type, data)) <= {int} or (data and not -(2**31) <= min(data) <= max(data) < 2**31):
            raise OipError(f"data of {what} must be 32-bit whole numbers")
        return np.array(data, dtype=dtype).reshape(shape)
    if not set(map(type, data)) <= _NUMBERS:
        raise OipError(f"data of {what} must be numbers, or null for missing")
    with np.errstate(over="ignore"):
        values = np.array(data, dtype=np.float64).astype(dtype)
    if np.isinf(values).any():
        raise OipError(f"data of {what} has a number beyond the range of FP{8 * dtype.itemsize}")
    return values.reshape(shape)


def from_raw(raw: memoryview, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An aligned, writable copy of little-endian bytes whose size the caller has checked."""
    return np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def kind_of(value: Any) -> str:
    """A JSON value's kind, for messages; never its content, which may be large."""
    return {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )
