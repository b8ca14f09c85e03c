"""The codes that packed files are made of: bits, Huffman codes, integers of very different sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ModelError
from harness.trees.formats.packed.bits import BitReader, BitWriter, bit_length
from harness.trees.formats.packed.huffman import MOST_BITS, lengths_of, read_coded, read_symbols, write_coded
from harness.trees.formats.packed.integers import read_integers, write_integers

EXAMPLES = settings(max_examples=50, deadline=None)


def reader_of(writer: BitWriter) -> BitReader:
    data = np.frombuffer(writer.getvalue() + bytes(8), dtype=np.uint8)
    return BitReader(data, 0, writer.n_bits)


def test_bit_lengths_are_those_of_python():
    numbers = [0, 1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**53 - 1, 2**53 + 1, 2**63, 2**64 - 1]
    assert bit_length(np.array(numbers, dtype=np.uint64)).tolist() == [number.bit_length() for number in numbers]


@given(st.lists(st.integers(0, 64).flatmap(lambda w: st.tuples(st.just(w), st.integers(0, 2**w - 1))), max_size=40))
@EXAMPLES
def test_numbers_of_any_width_come_back(pairs):
    writer = BitWriter()
    widths = np.array([width for width, _ in pairs], dtype=np.int64)
    writer.write(1, 1)
    writer.write(np.array([number for _, number in pairs], dtype=np.uint64), widths)
    reader = reader_of(writer)
    assert reader.number(1) == 1
    assert reader.read(widths.size, widths).tolist() == [number for _, number in pairs]
    assert reader.n_left == 0
    with pytest.raises(ModelError, match="ends before"):
        reader.read(1, 1)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=300), st.integers(31, 60))
@EXAMPLES
def test_symbols_come_back_coded_or_plain(symbols, n_symbols):
    writer = BitWriter()
    write_coded(writer, np.array(symbols), n_symbols)
    assert read_coded(reader_of(writer), len(symbols), n_symbols).tolist() == symbols
    assert writer.n_bits <= 1 + len(symbols) * int(bit_length(n_symbols - 1))


def test_a_code_is_as_short_as_huffmans_and_never_too_long():
    assert lengths_of([8, 4, 2, 1, 1, 0]).tolist() == [1, 2, 3, 4, 4, 0]
    assert lengths_of([0, 9, 0]).tolist() == [0, 1, 0]
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    lengths = lengths_of(fibonacci)
    assert lengths.max() <= MOST_BITS
    assert sum(2.0 ** -int(length) for length in lengths) == 1.0


@pytest.mark.parametrize("lengths", [[1, 1, 1], [0, 0], [31, 31], [3, 0]])
def test_tables_that_are_no_code_are_refused(lengths):
    writer = BitWriter()
    writer.write([2**32 - 1] * 4, 32)
    with pytest.raises(ModelError):
        read_symbols(reader_of(writer), 5, np.array(lengths))


@given(st.lists(st.integers(0, 52).flatmap(lambda w: st.integers(0, 2**w)), min_size=1, max_size=200))
@EXAMPLES
def test_integers_come_back(numbers):
    writer = BitWriter()
    write_integers(writer, np.array(numbers, dtype=np.uint64), 53)
    assert read_integers(reader_of(writer), len(numbers), 53).tolist() == numbers
