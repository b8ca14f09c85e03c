"""Any server of the Open Inference Protocol v2: KServe, Triton, MLServer, and the harness's own.

One input tensor [n, d] of FP32 or FP64, one output of n scores, [n] or [n, 1]. Names and datatype that the options
leave open are those of the model's metadata. `encoding: auto` finds out by a real request whether the server takes the
binary tensor extension: servers accept it without advertising it, and advertise it without accepting it.

JSON has no NaN. `nan` says how a missing feature is written there: `null`, which most servers read as NaN; `literal`,
the NaN of Python's and Java's lenient parsers, which strict ones refuse; or `refuse`, an error before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import Field

from harness.errors import AnswerError, HarnessError, TargetError
from harness.oip import HEADER_LENGTH, OipError, header_length
from harness.oip.wire import from_json, from_raw, join, parameters_of, split
from harness.protocols import Ask, PluginOptions, Ranking, RankingRequest

ANSWER_HEADERS = (HEADER_LENGTH.lower(),)
_TYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "FP64": np.dtype("<f8")}
_INFER = "/infer"


class Options(PluginOptions):
    """Keys of the oip adapter."""

    encoding: Literal["auto", "binary", "json"] = Field(
        default="auto", description="of request and answer; auto asks the server by a real request"
    )
    input: str | None = Field(default=None, min_length=1, description="input tensor; null: the metadata's, else x")
    datatype: Literal["FP32", "FP64"] | None = Field(
        default=None, description="of the input; null: the metadata's, else FP32"
    )
    output: str | None = Field(
        default=None, min_length=1, description="tensor of the scores; null: the metadata's first, else the answer's"
    )
    nan: Literal["null", "literal", "refuse"] = Field(default="null", description="a missing feature in JSON")


def settle(options: Options, ask: Ask, request: RankingRequest) -> tuple[Options, dict[str, Any]]:
    """Names and datatype from the metadata; for `auto`, the first encoding that gives n scores. Raises TargetError."""
    metadata = _metadata(ask)
    named = _with_names(options, metadata)
    if options.encoding != "auto":
        return named, {"metadata": metadata}
    refusals = {}
    for encoding in ("binary", "json"):
        tried = named.model_copy(update={"encoding": encoding})
        refusals[encoding] = _refusal(tried, ask, request)
        if not refusals[encoding]:
            return tried, {"metadata": metadata, "refused": {k: v for k, v in refusals.items() if v}}
    raise TargetError(
        "; ".join(f"{encoding}: {reason}" for encoding, reason in refusals.items()),
        where=f"an infer request of {request.x.shape[0]} candidates with {request.x.shape[1]} features to {ask.path}",
        remedy="check that it runs; compare adapter.input, adapter.datatype and the features with the model's metadata",
    )


def width(options: Options, ask: Ask) -> int | None:
    """The last dimension of the metadata's input, where that is a number."""
    shape = _first(_metadata(ask), "inputs").get("shape")
    if isinstance(shape, list) and len(shape) == 2 and type(shape[1]) is int and shape[1] > 0:
        return int(shape[1])
    return None


def encode(options: Options, request: RankingRequest) -> tuple[bytes, dict[str, str]]:
    """An infer request; the answer is asked for in the same encoding. OipError for what JSON can't carry."""
    datatype = options.datatype or "FP32"
    x = np.ascontiguousarray(request.x, dtype=_TYPES[datatype])
    tensor: dict[str, Any] = {"name": options.input or "x", "shape": list(x.shape), "datatype": datatype}
    message: dict[str, Any] = {"id": request.id, "inputs": [tensor]}
    if options.encoding == "binary":
        tensor["parameters"] = {"binary_data_size": x.nbytes}
        message["parameters"] = {"binary_data_output": True}
        return join(message, [x.tobytes()])
    if np.isinf(x).any():
        raise OipError("JSON can't carry the infinite features of this request; use the binary encoding")
    missing = np.isnan(x).any()
    if missing and options.nan == "refuse":
        raise OipError("JSON has no NaN for the missing features of this request; set adapter.nan, or use binary")
    literal = missing and options.nan == "literal"
    tensor["data"] = orjson.Fragment(json.dumps(x.ravel().tolist())) if literal else x.ravel()
    return join(message, [])


def decode(options: Options, headers: Mapping[str, str], body: bytes, n: int) -> Ranking:
    """The scores of the named output, else of the first. Raises AnswerError or OipError."""
    message, raw = split(header_length(headers), body)
    outputs = message.get("outputs")
    if type(outputs) is not list or not outputs:
        raise AnswerError('no "outputs"')
    for output in outputs:
        if type(output) is not dict:
            raise AnswerError("an output must be an object")
        size = _size(output)
        if options.output in (None, output.get("name")):
            return Ranking(scores=_scores(output, None if size is None else raw[:size]).astype(np.float64))
        raw = raw[size or 0 :]
    raise AnswerError(f"no output named {options.output!r}")


def _size(output: dict[str, Any]) -> int | None:
    """Raw bytes that belong to an output; None where its data stand in the JSON."""
    size = parameters_of(output, "an output").get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise AnswerError("binary_data_size must be a number of bytes")
    return size


def _scores(output: dict[str, Any], raw: memoryview | None) -> NDArray[Any]:
    name, shape, dtype = output.get("name"), output.get("shape"), _TYPES.get(str(output.get("datatype")))
    if dtype is None:
        raise AnswerError(f"datatype of {name} must be FP32 or FP64")
    if type(shape) is not list or any(type(size) is not int or size < 0 for size in shape):
        raise AnswerError(f"shape of {name} must be whole numbers")
    if not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)):
        raise AnswerError(f"shape of {name} must be [n] or [n, 1]")
    if raw is None:
        return from_json(output.get("data"), tuple(shape), str(name), dtype).ravel()
    if len(raw) != shape[0] * dtype.itemsize:
        raise AnswerError(f"{len(raw)} bytes of {name}, and its shape needs {shape[0] * dtype.itemsize}")
    return from_raw(raw, (shape[0],), dtype)


def _metadata(ask: Ask) -> dict[str, Any]:
    """The model's metadata; empty where the server gives none."""
    if not ask.path.endswith(_INFER):
        return {}
    try:
        reply = ask.get(ask.path.removesuffix(_INFER))
        found = orjson.loads(reply.body) if reply.ok else {}
    except (TargetError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _with_names(options: Options, metadata: dict[str, Any]) -> Options:
    first = _first(metadata, "inputs")
    datatype = first.get("datatype")
    return options.model_copy(
        update={
            "input": options.input or first.get("name"),
            "datatype": options.datatype or (datatype if datatype in _TYPES else None),
            "output": options.output or _first(metadata, "outputs").get("name"),
        }
    )


def _first(metadata: dict[str, Any], key: str) -> dict[str, Any]:
    tensors = metadata.get(key)
    found = tensors[0] if isinstance(tensors, list) and tensors else {}
    return found if isinstance(found, dict) and isinstance(found.get("name", ""), str) else {}


def _refusal(options: Options, ask: Ask, request: RankingRequest) -> str:
    """Why the server does not take such requests; empty where it answers one with n scores."""
    try:
        reply = ask.post(*encode(options, request))
        if not reply.ok:
            return ask.excerpt(reply)
        ranking = decode(options, reply.headers, reply.body, request.x.shape[0])
    except HarnessError as error:
        return error.what
    n_scores = 0 if ranking.scores is None else ranking.scores.size
    return "" if n_scores == request.x.shape[0] else f"{n_scores} scores for {request.x.shape[0]} candidates"
