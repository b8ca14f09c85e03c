"""Keeping answers while a load test runs: distinct ones once, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from harness.answers import Answers
from harness.samples import NO_ANSWER

MAX_BYTES = 256 * 2**20
_ENTRY_BYTES = 200
"""What an entry costs beside the bytes of its answer."""


class AnswerStore:
    """Index by (target, body, kept header lines, answer). What is new when it is full is counted, not kept."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._known: dict[tuple[int, int, str, bytes], int] = {}
        self._room = max_bytes
        self.n_not_kept = 0

    def index(self, target: int, body: int, head: str, answer: bytes) -> int:
        """The index of an answer, kept where it is new; NO_ANSWER where it is new and there is no room."""
        entry = (target, body, head, answer)
        place = self._known.get(entry)
        if place is not None:
            return place
        self._room -= len(answer) + _ENTRY_BYTES
        if self._room < 0:
            self.n_not_kept += 1
            self._room += len(answer) + _ENTRY_BYTES
            return NO_ANSWER
        place = self._known[entry] = len(self._known)
        return place

    def answers(self, targets: tuple[str, ...], hide: Sequence[Callable[[bytes], bytes]]) -> Answers:
        """All that was kept, credentials hidden by each target's own function."""
        return Answers(
            targets=targets,
            target=np.array([target for target, *_ in self._known], dtype=np.int16),
            body=np.array([body for _, body, *_ in self._known], dtype=np.int32),
            heads=tuple(head for *_, head, _ in self._known),
            blobs=tuple(hide[target](answer) for target, *_, answer in self._known),
            n_not_kept=self.n_not_kept,
        )
