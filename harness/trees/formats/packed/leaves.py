"""Leaf values, and the encodings that a file may store them by.

    steps   whole numbers of one step of the whole forest, as fine as scores need: the default (`step_of`)
    float   as they are, in the forest's own type: where steps can't be fine enough, such as for sums of 1e30 and 1
    fp16    IEEE half precision
    int8    scale * number, -127 to 127, a float32 scale per tree
    int4    offset + scale * number, 0 to 15, a float32 offset and scale per tree

The last three are lossy: `narrowed` says what they make of a tree, and a file gives that back bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.ranking_data import Floats
from harness.trees.descent import made_up_rows, scores
from harness.trees.forest import LEAF, Forest
from harness.trees.formats.packed.bits import BitReader, BitWriter
from harness.trees.formats.packed.huffman import read_coded, write_coded
from harness.trees.formats.packed.integers import read_integers, write_integers
from harness.trees.joined import Joined, Places

Encoding = Literal["steps", "float", "fp16", "int8", "int4"]
Narrow = Literal["fp16", "int8", "int4"]
ENCODINGS: tuple[Encoding, ...] = ("steps", "float", "fp16", "int8", "int4")
INT8_MAX, INT4_MAX = 127, 15
MOST_STEP_BITS = 52
_ERROR = 1e-6
_DEVIATIONS = 4.0
_N_ROWS = 256
_BIAS = {"int8": INT8_MAX, "int4": 0}
_SYMBOLS = {"int8": 2 * INT8_MAX + 1, "int4": INT4_MAX + 1}


@dataclass(frozen=True)
class Narrowed:
    """One tree's leaves in few bits: numbers (n_leaves,) in the order of its nodes, and what they stand for."""

    encoding: Narrow
    numbers: Places
    scale: float = 1.0
    offset: float = 0.0

    @property
    def values(self) -> Floats:
        """What the leaves are worth, (n_leaves,)."""
        if self.encoding == "fp16":
            return self.numbers.astype(np.uint16).view(np.float16).astype(np.float64)
        return self.offset + self.scale * self.numbers.astype(np.float64)


def narrowed(value: Floats, encoding: Narrow) -> Narrowed:
    """The leaf values (n_leaves,) of one tree, each to the nearest there is. ModelError where one is beyond fp16."""
    match encoding:
        case "fp16":
            return Narrowed(encoding, _half(value).view(np.uint16).astype(np.int64))
        case "int8":
            scale = float(np.float32(np.abs(value).max() / INT8_MAX))
            return nearest(value, encoding, scale, 0.0)
    offset = float(np.float32(value.min()))
    return nearest(value, encoding, float(np.float32((value.max() - offset) / INT4_MAX)), offset)


def nearest(value: Floats, encoding: Narrow, scale: float, offset: float) -> Narrowed:
    """Values as the nearest `offset + scale * number` that the encoding has."""
    low, high = (-INT8_MAX, INT8_MAX) if encoding == "int8" else (0, INT4_MAX)
    numbers = np.rint((value - offset) / scale).clip(low, high) if scale > 0 else np.zeros_like(value)
    return Narrowed(encoding, numbers.astype(np.int64), scale, offset)


def _half(value: Floats) -> NDArray[np.float16]:
    limit = float(np.finfo(np.float16).max)
    largest = float(np.abs(value).max())
    if largest > limit:
        raise ModelError(
            f"a leaf value of {largest:g} is out of the range of fp16 ({limit:g})",
            remedy="set `leaves: int8`, which scales each tree",
        )
    return value.astype(np.float16)


def with_codes(forest: Forest, codes: Sequence[Narrowed]) -> Forest:
    """The forest with leaves worth what the codes, one per tree, stand for, in the forest's own type."""
    trees = []
    for tree, own in zip(forest.trees, codes, strict=True):
        value = np.zeros(tree.n_nodes)
        value[tree.is_leaf] = own.values.astype(forest.threshold_type)
        trees.append(replace(tree, value=value))
    return forest.with_trees(tuple(trees))


def step_of(forest: Forest) -> float:
    """The step of whole-numbered leaves at which four standard deviations of a score are 1e-6 of a large score.

    A leaf is off by up to half a step either way, so a sum over trees by sqrt(n_trees / 12) steps, as one standard
    deviation. A large score is the largest of some rows between thresholds, less the base score.
    """
    with np.errstate(over="ignore"):
        known = scores(replace(forest, base_score=0.0, average=False), made_up_rows(forest, _N_ROWS))
    return _ERROR * float(np.abs(known).max()) / (_DEVIATIONS * math.sqrt(len(forest.trees) / 12))


def write_leaves(
    writer: BitWriter, forest: Forest, nodes: Joined, leaves: Places, codes: Sequence[Narrowed]
) -> Encoding:
    """Append the leaves, whose places are given in level order, by `codes`, one per tree, where there are any."""
    value = nodes.field("value")[leaves]
    if codes:
        _check_codes(nodes, codes, forest.threshold_type)
        _write_narrow(writer, leaves, codes)
        return codes[0].encoding
    step = step_of(forest)
    numbers = np.rint(value / step) if 0 < step < np.inf else np.full_like(value, np.inf)
    if not np.abs(numbers).max() < 1 << MOST_STEP_BITS:
        width = 8 * np.dtype(forest.threshold_type).itemsize
        writer.write(value.astype(forest.threshold_type).view(f"u{width // 8}"), width)
        return "float"
    writer.write(np.array(step).view(np.uint64), 64)
    write_integers(writer, np.abs(numbers).astype(np.uint64), MOST_STEP_BITS)
    writer.write(numbers[numbers != 0] < 0, 1)
    return "steps"


def _check_codes(nodes: Joined, codes: Sequence[Narrowed], threshold_type: str) -> None:
    """ModelError unless the codes are what the forest's own leaves are worth."""
    stored = np.concatenate([own.values for own in codes]).astype(threshold_type)
    if len(codes) != nodes.roots.size or not np.array_equal(stored, nodes.field("value")[nodes.left == LEAF]):
        raise ModelError("can't store its leaves narrow: they are not what the given numbers stand for")


def read_leaves(reader: BitReader, tree: Places, n_trees: int, encoding: Encoding, threshold_type: str) -> Floats:
    """Values (n_leaves,) in level order, of trees (n_leaves,); ModelError where one is not finite."""
    n = tree.size
    if encoding == "float":
        width = 8 * np.dtype(threshold_type).itemsize
        value = reader.read(n, width).astype(f"u{width // 8}").view(threshold_type).astype(np.float64)
    elif encoding == "steps":
        step = reader.read(1, 64).view(np.float64)[0]
        numbers = read_integers(reader, n, MOST_STEP_BITS).astype(np.float64)
        some = numbers != 0
        numbers[some] *= 1.0 - 2.0 * reader.read(int(np.count_nonzero(some)), 1).astype(np.float64)
        value = step * numbers
    else:
        value = _read_narrow(reader, tree, n_trees, encoding)
    if not np.isfinite(value).all():
        raise ModelError("has a leaf value that is not finite")
    return value


def _write_narrow(writer: BitWriter, leaves: Places, codes: Sequence[Narrowed]) -> None:
    encoding = codes[0].encoding
    numbers = np.empty(leaves.size, dtype=np.int64)
    numbers[np.argsort(leaves)] = np.concatenate([own.numbers for own in codes])
    if encoding == "fp16":
        writer.write(numbers, 16)
        return
    for name in ("scale", "offset")[: 1 if encoding == "int8" else 2]:
        writer.write(np.array([getattr(own, name) for own in codes], dtype=np.float32).view(np.uint32), 32)
    write_coded(writer, numbers + _BIAS[encoding], _SYMBOLS[encoding])


def _read_narrow(reader: BitReader, tree: Places, n_trees: int, encoding: Narrow) -> Floats:
    if encoding == "fp16":
        return Narrowed(encoding, reader.read(tree.size, 16).astype(np.int64)).values
    scale = _floats(reader, n_trees)
    offset = np.zeros(n_trees) if encoding == "int8" else _floats(reader, n_trees)
    numbers = read_coded(reader, tree.size, _SYMBOLS[encoding]) - _BIAS[encoding]
    value: Floats = offset[tree] + scale[tree] * numbers.astype(np.float64)
    return value


def _floats(reader: BitReader, n: int) -> Floats:
    return reader.read(n, 32).astype(np.uint32).view(np.float32).astype(np.float64)
