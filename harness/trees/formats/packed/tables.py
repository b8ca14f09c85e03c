"""What splits compare with, column by column: the distinct thresholds, or sets of categories, of each used feature.

A column is a feature, of one kind: a feature that is split both by threshold and by category has two. Ascending float32
thresholds are told apart by whole numbers in the same order (`_ordered`), less the zeros that all of a column end in,
which counts and rounded values have many of. What is written is the first and the gaps between neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.ranking_data import Features, Floats
from harness.trees.forest import Ints, Operator
from harness.trees.formats.packed.bits import BitReader, BitWriter, Unsigned, bit_length
from harness.trees.formats.packed.integers import read_integers, write_integers
from harness.trees.joined import Places
from harness.trees.ranks import floored

RIGHT, LEFT, EITHER = 0, 1, 2
"""Where all of a column's splits send missing values; EITHER: each split says."""
_FLOAT_BITS = 32
_COUNT_BITS = 6
_CATEGORY_BITS = 31
_SIGN = np.int64(1) << 31
_FOUR = 2

Sets = tuple[Ints, ...]


@dataclass(frozen=True)
class Columns:
    """feature, categorical, missing (RIGHT, LEFT, EITHER), n_bounds: (n_columns,);

    thresholds: of all numerical columns on end; sets: of all categorical ones.
    """

    feature: Places
    categorical: NDArray[np.bool_]
    missing: Places
    n_bounds: Places
    thresholds: Features
    sets: Sets


def float32_sides(threshold: Floats, operator: Operator) -> Features:
    """Thresholds in float32 that split float32 values as the given ones do: rounded down for `<=`, up for `<`."""
    sides = floored(threshold) if operator == "<=" else -floored(-threshold)
    return sides + np.float32(0)  # -0 becomes 0


def write_columns(writer: BitWriter, columns: Columns, n_features: int) -> None:
    """Append all columns."""
    writer.write(columns.feature, int(bit_length(n_features)))
    writer.write(columns.categorical, 1)
    writer.write(columns.missing, _FOUR)
    width = int(bit_length(columns.n_bounds.max(initial=0)))
    writer.write(width, _COUNT_BITS)
    writer.write(columns.n_bounds, width)
    counts = columns.n_bounds[~columns.categorical]
    if counts.size:
        numbers = _ordered(columns.thresholds)
        starts = np.cumsum(counts) - counts
        zeros = _common_zeros(numbers, starts)
        numbers >>= np.repeat(zeros, counts)
        gaps = np.diff(numbers, prepend=0)
        first = np.zeros(numbers.size, dtype=bool)
        first[starts] = True
        writer.write(zeros, _COUNT_BITS)
        writer.write(numbers[starts] << zeros, _FLOAT_BITS)
        write_integers(writer, (gaps[~first] - 1).astype(np.uint64), _FLOAT_BITS)
    if columns.sets:
        sizes = np.array([own.size for own in columns.sets], dtype=np.uint64)
        steps = [np.diff(own.astype(np.int64), prepend=-1) - 1 for own in columns.sets]
        write_integers(writer, sizes, _CATEGORY_BITS)
        write_integers(writer, np.concatenate(steps).astype(np.uint64), _CATEGORY_BITS)


def read_columns(reader: BitReader, n_columns: int, n_features: int) -> Columns:
    """What `write_columns` wrote; ModelError where it can't be."""
    feature = reader.read(n_columns, int(bit_length(n_features))).astype(np.int64)
    categorical = reader.read(n_columns, 1).astype(bool)
    missing = reader.read(n_columns, _FOUR).astype(np.int64)
    n_bounds = reader.read(n_columns, reader.number(_COUNT_BITS) & 31).astype(np.int64)
    key = 2 * feature + categorical
    if (np.diff(key) <= 0).any() or (feature >= n_features).any() or (missing > EITHER).any() or (n_bounds < 1).any():
        raise ModelError("has a broken table of features")
    reader.require(int(n_bounds.sum()) - n_columns, "thresholds")
    thresholds = _read_thresholds(reader, n_bounds[~categorical])
    sets = _read_sets(reader, int(n_bounds[categorical].sum()))
    return Columns(feature, categorical, missing, n_bounds, thresholds, sets)


def _read_thresholds(reader: BitReader, counts: Places) -> Features:
    if not counts.size:
        return np.empty(0, dtype=np.float32)
    zeros = reader.read(counts.size, _COUNT_BITS).astype(np.int64)
    first = reader.read(counts.size, _FLOAT_BITS).astype(np.int64)
    if (zeros > _FLOAT_BITS).any():
        raise ModelError("has a broken table of thresholds")
    starts = np.cumsum(counts) - counts
    is_first = np.zeros(int(counts.sum()), dtype=bool)
    is_first[starts] = True
    steps = np.zeros(is_first.size, dtype=np.int64)
    steps[~is_first] = read_integers(reader, is_first.size - counts.size, _FLOAT_BITS).astype(np.int64) + 1
    total = np.cumsum(steps)
    numbers = (total - np.repeat(total[starts], counts) << np.repeat(zeros, counts)) + np.repeat(first, counts)
    if (numbers < 0).any() or (numbers >> _FLOAT_BITS).any():
        raise ModelError("has thresholds that are no float32")
    thresholds = _float32(numbers)
    if np.isnan(thresholds).any():
        raise ModelError("has thresholds that are not a number")
    return thresholds


def _read_sets(reader: BitReader, n_sets: int) -> Sets:
    if not n_sets:
        return ()
    sizes = read_integers(reader, n_sets, _CATEGORY_BITS).astype(np.int64)
    n = int(sizes.sum())
    reader.require(n, "categories")
    steps = read_integers(reader, n, _CATEGORY_BITS).astype(np.int64) + 1
    ends = np.cumsum(sizes)
    total = np.concatenate([[0], np.cumsum(steps)])
    categories = total[1:] - np.repeat(total[ends - sizes], sizes) - 1
    if n and int(categories.max()) >> _CATEGORY_BITS:
        raise ModelError("has categories that are no int32")
    return tuple(np.split(categories.astype(np.int32), ends[:-1]))


def _ordered(values: Features) -> Places:
    """Whole numbers below 2^32 in the order of float32 values, which are their bits, but for the sign."""
    raw = values.view(np.uint32).astype(np.int64)
    return np.where(raw & _SIGN, _SIGN - (raw & ~_SIGN), raw + _SIGN)


def _float32(numbers: Places) -> Features:
    raw = np.where(numbers < _SIGN, _SIGN | (_SIGN - numbers), numbers - _SIGN)
    return raw.astype(np.uint32).view(np.float32)


def _common_zeros(numbers: Places, starts: Places) -> Places:
    """Zeros that all numbers of a column end in."""
    together: Unsigned = np.bitwise_or.reduceat(numbers, starts).astype(np.uint64)
    lowest = together & (~together + np.uint64(1))
    return np.maximum(bit_length(lowest) - 1, 0)
