"""Integers of very different sizes: the number of bits by a Huffman code, then the bits after the leading one.

Elias's gamma code (1975) with the unary length replaced by one that fits the numbers at hand.
"""

from __future__ import annotations

import numpy as np

from harness.trees.formats.packed.bits import BitReader, BitWriter, Unsigned, bit_length
from harness.trees.formats.packed.huffman import read_coded, write_coded


def write_integers(writer: BitWriter, values: Unsigned, most_bits: int) -> None:
    """Append numbers below 2^most_bits, which is at most 2^63."""
    lengths = bit_length(values)
    write_coded(writer, lengths, most_bits + 1)
    rest = np.maximum(lengths - 1, 0)
    writer.write(values & ((np.uint64(1) << rest.astype(np.uint64)) - np.uint64(1)), rest)


def read_integers(reader: BitReader, n: int, most_bits: int) -> Unsigned:
    """(n,) numbers that `write_integers` wrote."""
    lengths = read_coded(reader, n, most_bits + 1)
    rest = np.maximum(lengths - 1, 0)
    leading = np.where(lengths > 0, np.uint64(1) << rest.astype(np.uint64), np.uint64(0))
    return leading | reader.read(n, rest)
