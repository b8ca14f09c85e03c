"""Canonical Huffman codes (Huffman 1952; Schwartz and Kallick 1964): lengths say all, decoding is two table look-ups.

A code's symbols stand where the one before ends, so the walk over a stream is sequential by nature. What takes the time
is done for all bits at once (which code would begin here, and how long is it?), and only the walk from code to code is
a loop.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.trees.formats.packed.bits import BitReader, BitWriter, Widths, bit_length, cut_off

MOST_BITS = 20
_LENGTH_BITS = 5
_AT_ONCE = 1 << 20

Symbols = NDArray[np.int64]


def lengths_of(counts: Sequence[int]) -> Widths:
    """Code length of each symbol (0 for one that never occurs), none over MOST_BITS. One lone symbol takes a bit."""
    weights = [int(count) for count in counts]
    while True:
        lengths = _unlimited(weights)
        if int(lengths.max(initial=0)) <= MOST_BITS:
            return lengths
        weights = [(weight + 1) // 2 for weight in weights]


def _unlimited(weights: list[int]) -> Widths:
    heap = [(weight, symbol) for symbol, weight in enumerate(weights) if weight]
    lengths = np.zeros(len(weights), dtype=np.int64)
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
        return lengths
    heapq.heapify(heap)
    parent: dict[int, int] = {}
    new = len(weights)
    while len(heap) > 1:
        (one, first), (other, second) = heapq.heappop(heap), heapq.heappop(heap)
        parent[first] = parent[second] = new
        heapq.heappush(heap, (one + other, new))
        new += 1
    depth = {new - 1: 0}
    for node in range(new - 2, -1, -1):
        if node in parent:
            depth[node] = depth[parent[node]] + 1
    for symbol in range(len(weights)):
        lengths[symbol] = depth.get(symbol, 0)
    return lengths


def _in_order(lengths: Widths) -> tuple[Symbols, Symbols]:
    """Symbols that occur, by length, and the place of their codes among all words of MOST_BITS."""
    used = np.flatnonzero(lengths)
    used = used[np.argsort(lengths[used], kind="stable")]
    spans = np.int64(1) << (MOST_BITS - lengths[used])
    return used, np.cumsum(spans) - spans


def write_symbols(writer: BitWriter, symbols: Symbols, lengths: Widths) -> None:
    """Append the code of each symbol."""
    used, places = _in_order(lengths)
    codes = np.zeros(lengths.size, dtype=np.int64)
    codes[used] = places >> (MOST_BITS - lengths[used])
    writer.write(codes[symbols], lengths[symbols])


def read_symbols(reader: BitReader, n: int, lengths: Widths) -> Symbols:
    """(n,) symbols; ModelError where the lengths make no code, or where the stream is none of it."""
    reader.require(n, "symbols")
    used, _ = _in_order(lengths)
    longest = int(lengths.max(initial=0))
    spans = np.int64(1) << (MOST_BITS - lengths[used])
    if longest > MOST_BITS or int(spans.sum()) > 1 << MOST_BITS:
        raise ModelError("has a table of code lengths that no code can have")
    table = np.full(1 << longest, -1, dtype=np.int64)
    known = np.repeat(used, spans >> (MOST_BITS - longest))
    table[: known.size] = known
    steps = np.where(table >= 0, lengths[np.maximum(table, 0)] if lengths.size else 0, 1).astype(np.uint8)
    found = np.empty(n, dtype=np.int64)
    done = 0
    while done < n:
        wanted = min(_AT_ONCE, (n - done) * max(longest, 1), max(reader.n_left, 0))
        if wanted == 0:
            raise cut_off()
        heads = reader.heads(reader.position, wanted, longest)
        step = steps[heads].tobytes()
        begins: list[int] = []
        at = 0
        while at < wanted and len(begins) < n - done:
            begins.append(at)
            at += step[at]
        found[done : done + len(begins)] = table[heads[begins]]
        done += len(begins)
        reader.position += at
        if reader.n_left < 0:
            raise cut_off()
    if (found < 0).any():
        raise ModelError("holds bits that are no symbol of their code")
    return found


def write_coded(writer: BitWriter, symbols: Symbols, n_symbols: int) -> None:
    """Append a bit, then the code lengths of an alphabet and the symbols; or, where that is shorter, plain numbers."""
    lengths = lengths_of(np.bincount(symbols, minlength=n_symbols).tolist())
    plain = int(bit_length(n_symbols - 1))
    coded = int(lengths[symbols].sum()) + _LENGTH_BITS * n_symbols < plain * symbols.size
    writer.write(int(coded), 1)
    if coded:
        writer.write(lengths, _LENGTH_BITS)
        write_symbols(writer, symbols, lengths)
    else:
        writer.write(symbols, plain)


def read_coded(reader: BitReader, n: int, n_symbols: int) -> Symbols:
    """(n,) symbols that `write_coded` wrote."""
    if reader.number(1):
        return read_symbols(reader, n, reader.read(n_symbols, _LENGTH_BITS).astype(np.int64))
    symbols = reader.read(n, int(bit_length(n_symbols - 1))).astype(np.int64)
    if (symbols >= n_symbols).any():
        raise ModelError("holds numbers beyond their alphabet")
    return symbols
