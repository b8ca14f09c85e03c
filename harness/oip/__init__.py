"""Open Inference Protocol v2 for candidate lists: the codec that server and load generator share.

One input `x` FP32 [n, d], or FP64 where the engine tells such values apart as its model does; outputs `scores` FP32 [n]
and, where the request has `parameters.top_k`, `order` INT32 [min(top_k, n)]. Tensors travel as JSON numbers or by the
binary tensor data extension (a JSON header followed by raw little-endian bytes, split at
`Inference-Header-Content-Length`). JSON has no NaN, so there `null` stands for it: a missing feature, or a score that
is not a number. JSON has no infinity either; only the binary form carries one.

Specification: https://github.com/kserve/open-inference-protocol and, for the extension,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from harness.oip.request import InferRequest, decode_request, encode_request
from harness.oip.response import decode_response, encode_response
from harness.oip.wire import HEADER_LENGTH, OipError, header_length

__all__ = [
    "HEADER_LENGTH",
    "InferRequest",
    "OipError",
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
    "header_length",
]
