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
    """Rooms of at least `n_bytes`, as many as calls that ever ran at once; threads share them."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._free = [_room_of(n_bytes)]

    def take(self, n_bytes: int = 0) -> Room:
        """A room, of `n_bytes` where that is more, that nobody else has until it is given back."""
        try:
            room = self._free.pop()
        except IndexError:
            return _room_of(max(n_bytes, self._n_bytes))
        return room if room.array.nbytes >= n_bytes else _room_of(n_bytes)

    def give(self, room: Room) -> None:
        """Back for the next call."""
        self._free.append(room)


def _room_of(n_bytes: int) -> Room:
    array = _aligned_bytes(n_bytes)
    array[:] = 0
    return Room(array, array.ctypes.data)


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that begins at a cache line."""
    copy = _aligned_bytes(array.nbytes).view(array.dtype)
    copy[:] = array
    return copy


def _aligned_bytes(n_bytes: int) -> NDArray[np.uint8]:
    room = np.empty(n_bytes + _ALIGNMENT, dtype=np.uint8)
    begin = -room.ctypes.data % _ALIGNMENT
    return room[begin : begin + n_bytes]


def written_address(array: NDArray[Any]) -> int:
    """Where a writable, non-empty array begins: a third of the time that `array.ctypes.data` takes."""
    return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
