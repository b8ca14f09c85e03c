"""Which nodes are splits, level by level over all trees at once.

A level's length is known from the splits of the level above. How many of its nodes split says how likely each is, so
nodes go by eights through a Huffman code that both sides make from that number: a level of splits alone, or of leaves
alone, costs nothing, and trees of one depth next to nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.trees.formats.packed.bits import BitReader, BitWriter, Widths, bit_length
from harness.trees.formats.packed.huffman import lengths_of, read_symbols, write_symbols

MOST_LEVELS = 4096
_PLAIN = 64  # so many nodes take a bit each
_CHUNK = 8
_WEIGHT_BITS = 18
_SHARE_BITS = 10


def write_shape(writer: BitWriter, levels: list[NDArray[np.bool_]]) -> None:
    """Append the levels, each an array of whether a node is a split; the last has none."""
    if len(levels) > MOST_LEVELS:
        raise ModelError(f"has a tree of {len(levels) - 1:,} splits in a row, {MOST_LEVELS - 1:,} is the most")
    for level in levels:
        n_splits = int(np.count_nonzero(level))
        writer.write(n_splits, int(bit_length(level.size)))
        if not 0 < n_splits < level.size:
            continue
        if level.size <= _PLAIN:
            writer.write(level, 1)
        else:
            write_symbols(writer, np.packbits(level).astype(np.int64), _chunk_lengths(n_splits, level.size))


def read_shape(reader: BitReader, n_trees: int, n_nodes: int) -> list[NDArray[np.bool_]]:
    """The levels of `n_trees` trees; ModelError unless they hold `n_nodes` nodes."""
    levels: list[NDArray[np.bool_]] = []
    size, seen = n_trees, 0
    while size:
        seen += size
        if seen > n_nodes or len(levels) == MOST_LEVELS:
            raise ModelError(f"has more nodes or levels than it says ({n_nodes:,} nodes)")
        n_splits = reader.number(int(bit_length(size)))
        if n_splits in (0, size):
            level = np.full(size, n_splits > 0)
        elif size <= _PLAIN:
            level = reader.read(size, 1).astype(bool)
        else:
            chunks = read_symbols(reader, -(-size // _CHUNK), _chunk_lengths(n_splits, size))
            level = np.unpackbits(chunks.astype(np.uint8), count=size).astype(bool)
        if np.count_nonzero(level) != n_splits:
            raise ModelError(f"level {len(levels)} does not have the {n_splits:,} splits that it says")
        levels.append(level)
        size = 2 * n_splits
    if seen != n_nodes:
        raise ModelError(f"has {seen:,} nodes, not {n_nodes:,} as it says")
    return levels


def _chunk_lengths(n_splits: int, n: int) -> Widths:
    """Code lengths of all eights of nodes, when `n_splits` of n nodes split; the same integers everywhere.

    Shares are rounded, so that even a file made to take long has no more than a thousand codes to build.
    """
    return _lengths_of_share(min(max((n_splits << _SHARE_BITS) // n, 1), (1 << _SHARE_BITS) - 1))


@cache
def _lengths_of_share(share: int) -> Widths:
    whole = 1 << _SHARE_BITS
    weights = [
        max(1, (share**splits * (whole - share) ** (_CHUNK - splits) << _WEIGHT_BITS) // whole**_CHUNK)
        for splits in (chunk.bit_count() for chunk in range(1 << _CHUNK))
    ]
    return lengths_of(weights)
