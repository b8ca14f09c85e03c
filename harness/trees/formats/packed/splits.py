"""Each split's column, by a Huffman code over all splits, and the rank of its bound among the column's.

Ranks are spread evenly, but their number is seldom a power of two. So neighbours share one number: as many ranks as
surely fit in 64 bits, each below the number of bounds of its own column, are the digits of a number of that mixed
radix. Half a bit is wasted per number, on average, in place of half a bit per rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import ModelError
from harness.trees.formats.packed.bits import BitReader, BitWriter, Unsigned, Widths, bit_length
from harness.trees.formats.packed.huffman import read_coded, write_coded
from harness.trees.formats.packed.tables import EITHER, LEFT, Columns
from harness.trees.joined import Places

_NUMBER_BITS = 64
_MOST_DIGITS = 16


@dataclass(frozen=True)
class Splits:
    """Of each split: column, rank of its bound among the column's, whether missing values go left; (n_splits,)."""

    column: Places
    rank: Places
    default_left: Places


def write_splits(writer: BitWriter, splits: Splits, columns: Columns) -> None:
    """Append the splits, of which there is one at least."""
    write_coded(writer, splits.column, columns.feature.size)
    groups, widths = _radices(columns.n_bounds[splits.column])
    digits = _grouped(splits.rank.astype(np.uint64), groups.shape[1], 0)
    numbers = np.zeros(groups.shape[0], dtype=np.uint64)
    for place in reversed(range(groups.shape[1])):
        numbers = numbers * groups[:, place] + digits[:, place]
    writer.write(numbers, widths)
    writer.write(splits.default_left[columns.missing[splits.column] == EITHER], 1)


def read_splits(reader: BitReader, n_splits: int, columns: Columns) -> Splits:
    """The splits that `write_splits` wrote; ModelError where they are none."""
    column = read_coded(reader, n_splits, columns.feature.size)
    groups, widths = _radices(columns.n_bounds[column])
    numbers = reader.read(groups.shape[0], widths)
    digits = np.empty_like(groups)
    for place in range(groups.shape[1]):
        digits[:, place] = numbers % groups[:, place]
        numbers = numbers // groups[:, place]
    if numbers.any():
        raise ModelError("has a split whose threshold is none of its feature's")
    own = columns.missing[column] == EITHER
    default_left = (columns.missing[column] == LEFT).astype(np.int64)
    default_left[own] = reader.read(int(np.count_nonzero(own)), 1).astype(np.int64)
    return Splits(column, digits.ravel()[:n_splits].astype(np.int64), default_left)


def _radices(n_bounds: Places) -> tuple[Unsigned, Widths]:
    """(n_groups, n_digits) radices of the ranks that share a number, and the bits of each such number."""
    together = min(_MOST_DIGITS, _NUMBER_BITS // int(bit_length(n_bounds.max(initial=1))))
    groups = _grouped(n_bounds.astype(np.uint64), together, 1)
    return groups, bit_length(groups.prod(axis=1, dtype=np.uint64) - np.uint64(1))


def _grouped(values: Unsigned, together: int, filler: int) -> Unsigned:
    filled = np.full(-(-values.size // together) * together, filler, dtype=np.uint64)
    filled[: values.size] = values
    return filled.reshape(-1, together)
