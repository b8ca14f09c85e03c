"""Keeping answers while a load test runs: distinct ones once, in bounded memory, handed on in pieces.

An entry is packed as ENTRY, the kept header lines, and the answer; entries stand end to end, in reports and in the
journal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple

from harness.samples import NO_ANSWER

MAX_BYTES = 256 * 2**20
"""Of all workers together."""
ENTRY = Struct("<hihiii")
"""Worker, index of the answer there, target, body, bytes of the header lines, bytes of the answer."""
_COST_BYTES = 200
"""What an entry costs beside the bytes of its answer."""


class Kept(NamedTuple):
    """An answer as one worker kept it."""

    worker: int
    number: int
    target: int
    body: int
    head: str
    answer: bytes


class AnswerStore:
    """Index by (target, body, kept header lines, answer). What is new when it is full is not kept."""

    def __init__(self, worker: int, max_bytes: int = MAX_BYTES) -> None:
        self._worker, self._room = worker, max_bytes
        self._known: dict[tuple[int, int, str, bytes], int] = {}
        self._waiting: deque[bytes] = deque()

    def index(self, target: int, hide: Callable[[bytes], bytes], body: int, head: str, answer: bytes) -> int:
        """The index of an answer, kept where it is new; NO_ANSWER where it is new and there is no room.

        `hide` takes the target's credentials out of what is handed on.
        """
        entry = (target, body, head, answer)
        place = self._known.get(entry)
        if place is not None:
            return place
        cost = len(answer) + _COST_BYTES
        if cost > self._room:
            return NO_ANSWER
        self._room -= cost
        place = self._known[entry] = len(self._known)
        lines, shown = head.encode(), hide(answer)
        self._waiting.append(ENTRY.pack(self._worker, place, target, body, len(lines), len(shown)) + lines + shown)
        return place

    def take(self, limit: int) -> bytes:
        """Packed entries that were not taken before: as many as fit into `limit` bytes, but one at least."""
        taken: list[bytes] = []
        n_bytes = 0
        while self._waiting and (not taken or n_bytes + len(self._waiting[0]) <= limit):
            taken.append(self._waiting.popleft())
            n_bytes += len(taken[-1])
        return b"".join(taken)

    @property
    def all_taken(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._waiting


def unpacked(entries: bytes) -> Iterator[Kept]:
    """All whole entries; the last one may have been cut off."""
    start = 0
    while start + ENTRY.size <= len(entries):
        worker, index, target, body, n_head, n_answer = ENTRY.unpack_from(entries, start)
        middle = start + ENTRY.size + n_head
        head, start = entries[start + ENTRY.size : middle].decode(), middle + n_answer
        if start <= len(entries):
            yield Kept(worker, index, target, body, head, entries[middle:start])
