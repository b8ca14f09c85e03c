"""What a worker records of a segment while it runs, and the rows that this amounts to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.load.schedule import Segment
from harness.samples import NO_ANSWER

PENDING = -2
"""Status of a request whose outcome is not known yet; never leaves this module."""

ROW = np.dtype(
    [
        ("worker", "<i2"),
        ("segment", "<i2"),
        ("due_s", "<f8"),
        ("sent_s", "<f8"),
        ("done_s", "<f8"),
        ("status", "<i2"),
        ("body", "<i4"),
        ("answer", "<i4"),
    ]
)
"""One request with a known outcome: what workers send, the journal keeps, and samples are made of.

`answer` is the index in the worker's own store."""

Rows = NDArray[Any]
"""(n,) records of ROW."""


class Recording:
    """Columns of one worker's part of a segment, as lists (the cheapest thing to write to). Row i is the i-th request.

    Rows from `n_due` on have not come due yet; `start_s` is the time of `time.monotonic` that their times count from.
    """

    def __init__(self, segment: Segment, number: int = 0, worker: int = 0) -> None:
        n = segment.due_s.size
        self.segment, self.number, self.worker = segment, number, worker
        self.start_s = math.inf
        self.due_s: list[float] = segment.due_s.tolist()
        self.body: list[int] = segment.body[:n].tolist()
        self.sent_s: list[float] = [math.nan] * n
        self.done_s: list[float] = [math.nan] * n
        self.status: list[int] = [PENDING] * n
        self.answer: list[int] = [NO_ANSWER] * n
        self.n_due = 0
        self._n_looked_at = 0
        self._in_flight: list[int] = []

    def append(self, due_s: float, body: int) -> int:
        """Add a request that closed arrival sends now; its row."""
        self.due_s.append(due_s)
        self.body.append(body)
        self.sent_s.append(due_s)
        self.done_s.append(math.nan)
        self.status.append(PENDING)
        self.answer.append(NO_ANSWER)
        self.n_due += 1
        return self.n_due - 1

    @property
    def n_left(self) -> int:
        """Requests that have come due and were not taken yet."""
        return self.n_due - self._n_looked_at + len(self._in_flight)

    def take(self, limit: int) -> Rows:
        """The rows whose outcome has become known since the last call, at most about `limit` at a time."""
        earlier, first, end = self._in_flight, self._n_looked_at, min(self.n_due, self._n_looked_at + limit)
        index = [*earlier, *range(first, end)]
        rows = np.zeros(len(index), ROW)
        for name in ("status", "due_s", "sent_s", "done_s", "body", "answer"):
            column = getattr(self, name)
            rows[name] = [*(column[i] for i in earlier), *column[first:end]]
        rows["worker"], rows["segment"] = self.worker, self.number
        known = rows["status"] != PENDING
        self._n_looked_at, self._in_flight = end, [index[i] for i in np.flatnonzero(~known)]
        taken: Rows = rows[known]
        return taken
