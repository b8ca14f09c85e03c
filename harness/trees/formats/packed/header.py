"""The fixed beginning of a packed file, and the digest at its end."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.trees.forest import Forest
from harness.trees.formats.packed.leaves import ENCODINGS, Encoding

MAGIC = b"\x8fpacked\n"
VERSION = 1
N_DIGEST_BYTES = 32
MOST_FEATURES = 1 << 24
_FIELDS = struct.Struct("<8sHBBIIIIdd")  # what all versions begin with: magic, version
_STRICT, _FLOAT32, _AVERAGE = 1, 2, 4
_TASKS = ("kBinaryClf", "kRegressor", "kLearningToRank")
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Header:
    """The forest without its trees, how its leaves are stored, and the counts that all sizes follow from."""

    bare: Forest
    encoding: Encoding
    n_trees: int
    n_nodes: int
    n_columns: int


def packed_header(header: Header) -> bytes:
    """The header as bytes, the name of the post-processor at its end."""
    forest = header.bare
    if forest.n_features > MOST_FEATURES:
        raise ModelError(f"takes {forest.n_features:,} features, {MOST_FEATURES:,} is the most that can be packed")
    flags = _STRICT * (forest.operator == "<") + _FLOAT32 * (forest.threshold_type == "float32")
    flags += _AVERAGE * forest.average
    name = forest.postprocessor.encode("ascii")
    kinds = ENCODINGS.index(header.encoding) | _TASKS.index(forest.task) << 4
    counts = (forest.n_features, header.n_trees, header.n_nodes, header.n_columns)
    fixed = _FIELDS.pack(MAGIC, VERSION, flags, kinds, *counts, forest.base_score, forest.sigmoid_alpha)
    return fixed + bytes([len(name)]) + name


def read_header(data: NDArray[np.uint8]) -> tuple[Header, int]:
    """Header, and where it ends; ModelError where the file is none, of another version, damaged or cut off."""
    _check_whole(data)
    _, _, flags, kinds, n_features, n_trees, n_nodes, n_columns, base_score, alpha = _FIELDS.unpack(
        data[: _FIELDS.size].tobytes()
    )
    begin = _FIELDS.size + 1
    end = begin + int(data[_FIELDS.size])
    encoding, task = kinds & 15, kinds >> 4
    if encoding >= len(ENCODINGS) or task >= len(_TASKS) or flags > (_STRICT | _FLOAT32 | _AVERAGE):
        raise ModelError("has flags that mean nothing")
    if end - begin > _LONGEST_NAME or end > data.size - N_DIGEST_BYTES or not _is_word(data[begin:end].tobytes()):
        raise ModelError("has no name of a post-processor where one should be")
    n_bits = 8 * (data.size - N_DIGEST_BYTES - end)
    n_splits = (n_nodes - n_trees) // 2
    if (
        not 0 < n_trees <= n_nodes <= 4 * n_bits
        or (n_nodes - n_trees) % 2
        or not min(n_splits, 1) <= n_columns <= n_splits
    ):
        raise ModelError(f"says it has {n_trees:,} trees, {n_nodes:,} nodes and {n_columns:,} columns, which can't be")
    if not 0 < n_features <= MOST_FEATURES or not np.isfinite([base_score, alpha]).all():
        raise ModelError(f"says it takes {n_features:,} features, scores from {base_score}, alpha {alpha}")
    fields: dict[str, Any] = {
        "operator": "<" if flags & _STRICT else "<=",
        "threshold_type": "float32" if flags & _FLOAT32 else "float64",
        "base_score": base_score,
        "average": bool(flags & _AVERAGE),
        "postprocessor": data[begin:end].tobytes().decode("ascii"),
        "sigmoid_alpha": alpha,
        "task": _TASKS[task],
    }
    bare = Forest((), n_features, **fields)
    return Header(bare, cast(Encoding, ENCODINGS[encoding]), n_trees, n_nodes, n_columns), end


def digest_of(data: Any) -> bytes:
    """The digest that a file of these bytes ends in."""
    return hashlib.sha256(data).digest()


def _check_whole(data: NDArray[np.uint8]) -> None:
    if data.size < len(MAGIC) + 2 or data[: len(MAGIC)].tobytes() != MAGIC:
        raise ModelError("is no packed model: it does not begin as one")
    version = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 2].tobytes(), "little")
    if version != VERSION:
        raise ModelError(
            f"is of version {version} of the packed format, and only version {VERSION} is known here",
            remedy="read it with the version of harness that wrote it, or build the bundle again",
        )
    if data.size <= _FIELDS.size + N_DIGEST_BYTES:
        raise ModelError("is cut off")
    if digest_of(data[:-N_DIGEST_BYTES]) != data[-N_DIGEST_BYTES:].tobytes():
        raise ModelError("does not match its checksum: it is cut off or damaged")


def _is_word(name: bytes) -> bool:
    return name.isascii() and name.decode("ascii", "replace").isidentifier()
