"""Unsigned numbers of any width end to end in a stream of bits, most significant bit first; whole arrays at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import ModelError

Unsigned = NDArray[np.uint64]
Widths = NDArray[np.int64]
_AT_ONCE = 1 << 16
_WINDOW_BITS = 64
_HALF = 32


def bit_length(values: ArrayLike) -> Widths:
    """Bits that each number below 2^64 takes, 0 for 0."""
    numbers = np.asarray(values, dtype=np.uint64)
    high = (numbers >> np.uint64(_HALF)).astype(np.float64)
    low = (numbers & np.uint64(0xFFFFFFFF)).astype(np.float64)
    lengths = np.where(high > 0, _HALF + np.frexp(high)[1], np.frexp(low)[1])
    return lengths.astype(np.int64)


class BitWriter:
    """Collects numbers; `getvalue` gives the bytes."""

    def __init__(self) -> None:
        self._bits: list[NDArray[np.uint8]] = []

    @property
    def n_bits(self) -> int:
        """Bits written so far."""
        return sum(bits.size for bits in self._bits)

    def write(self, values: ArrayLike, width: int | Widths) -> None:
        """Append numbers, each in `width` bits, or each in its own (0 to 64)."""
        numbers = np.atleast_1d(np.asarray(values)).astype(np.uint64)
        widths = np.broadcast_to(np.asarray(width, dtype=np.int64), numbers.shape)
        for start in range(0, numbers.size, _AT_ONCE):
            self._append(numbers[start : start + _AT_ONCE], widths[start : start + _AT_ONCE])

    def _append(self, numbers: Unsigned, widths: Widths) -> None:
        ends = np.cumsum(widths)
        shift = np.repeat(ends, widths) - 1 - np.arange(int(ends[-1]))
        bits = (np.repeat(numbers, widths) >> shift.astype(np.uint64)) & np.uint64(1)
        self._bits.append(bits.astype(np.uint8))

    def getvalue(self) -> bytes:
        """All bits, filled up with zeros to whole bytes."""
        return np.packbits(np.concatenate([np.empty(0, dtype=np.uint8), *self._bits])).tobytes()


class BitReader:
    """Reads what BitWriter wrote, out of `data` (n_bytes,) up to bit `end`.

    `data` has to go on for 8 bytes after that. ModelError where more is asked for than there is, before anything is
    allocated for it.
    """

    def __init__(self, data: NDArray[np.uint8], begin: int, end: int) -> None:
        n_windows = data.size - _WINDOW_BITS // 8 + 1
        self._windows: NDArray[Any] = np.ndarray((n_windows,), ">u8", data, strides=(1,))
        self.position, self._end = begin, end

    @property
    def n_left(self) -> int:
        """Bits not read yet."""
        return self._end - self.position

    def read(self, n: int, width: int | Widths) -> Unsigned:
        """(n,) numbers of `width` bits each, or each of its own width (n,)."""
        self.require(n, "numbers")
        widths = np.broadcast_to(np.asarray(width, dtype=np.int64), (n,))
        total = int(widths.sum())
        if total > self.n_left:
            raise cut_off()
        begins = self.position + np.cumsum(widths) - widths
        self.position += total
        if n and int(widths.max()) > _HALF:
            first = np.minimum(widths, _HALF)
            rest = widths - first
            return (self._at(begins, first) << rest.astype(np.uint64)) | self._at(begins + first, rest)
        return self._at(begins, widths)

    def number(self, width: int) -> int:
        """One number."""
        return int(self.read(1, width)[0])

    def require(self, n: int, what: str) -> None:
        """ModelError unless n things of a bit each could still be there."""
        if n > max(self.n_left, self._windows.size):
            raise ModelError(f"speaks of {n:,} {what}, more than its bytes can hold")

    def heads(self, begin: int, n: int, width: int) -> NDArray[np.int64]:
        """(n,) what stands in the `width` (up to 32) bits from each of the bits `begin`, `begin` + 1, ... on."""
        return self._at(np.arange(begin, begin + n), np.full(n, width, dtype=np.int64)).astype(np.int64)

    def _at(self, begins: Widths, widths: Widths) -> Unsigned:
        if not begins.size:
            return np.empty(0, dtype=np.uint64)
        windows = self._windows[np.minimum(begins >> 3, self._windows.size - 1)].astype(np.uint64)
        tops = windows << (begins & 7).astype(np.uint64)
        shift = (_WINDOW_BITS - widths).astype(np.uint64)
        numbers: Unsigned = np.where(widths > 0, tops >> np.minimum(shift, np.uint64(63)), np.uint64(0))
        return numbers


def cut_off() -> ModelError:
    """The stream ends in the middle of something."""
    return ModelError("ends before all of its trees do")
