"""Memory that a kernel reads and writes: arrays that begin at a cache line, and scratch for as many calls as run."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64


class Room(NamedTuple):
    """Memory that one call at a time may write to, and where it begins."""

    array: NDArray[np.uint8]
    address: int


class Scratch:
    """Rooms of `n_bytes`, as many as calls that ever ran at once; threads share them."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._free = [self._made()]

    def take(self) -> Room:
        """A room that nobody else has until it is given back."""
        try:
            return self._free.pop()
        except IndexError:
            return self._made()

    def give(self, room: Room) -> None:
        """Back for the next call."""
        self._free.append(room)

    def _made(self) -> Room:
        array = aligned(np.zeros(self._n_bytes, dtype=np.uint8))
        return Room(array, array.ctypes.data)


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that begins at a cache line."""
    room = np.empty(array.nbytes + _ALIGNMENT, dtype=np.uint8)
    begin = -room.ctypes.data % _ALIGNMENT
    copy = room[begin : begin + array.nbytes].view(array.dtype)
    copy[:] = array
    return copy


def written_address(array: NDArray[Any]) -> int:
    """Where a writable, non-empty array begins: a third of the time that `array.ctypes.data` takes."""
    return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
