"""What a segment records while it runs, and the samples that all segments amount to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.load.bodies import Bodies
from harness.load.schedule import Segment
from harness.ranking_data import Floats
from harness.samples import NO_ANSWER, Samples

PENDING = -2
"""Status of a request whose outcome is not known yet; never leaves this package."""


class Recording:
    """Columns of one segment, as lists (the cheapest thing to write to). Row i is the i-th request.

    Rows from `n_due` on have not come due yet.
    """

    def __init__(self, segment: Segment) -> None:
        n = segment.due_s.size
        self.segment = segment
        self.due_s: list[float] = segment.due_s.tolist()
        self.body: list[int] = segment.body[:n].tolist()
        self.sent_s: list[float] = [math.nan] * n
        self.done_s: list[float] = [math.nan] * n
        self.status: list[int] = [PENDING] * n
        self.answer: list[int] = [NO_ANSWER] * n
        self.n_due = 0

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

    def latencies_ms(self, first: int) -> Floats:
        """Latencies of the answered requests from row `first` on."""
        latency: Floats = np.array(self.done_s[first : self.n_due]) - np.array(self.due_s[first : self.n_due])
        return latency[~np.isnan(latency)] * 1e3


def to_samples(targets: tuple[str, ...], recordings: Sequence[Recording], bodies: Bodies) -> tuple[Samples, int]:
    """All recordings as samples, and how many requests were still in flight and are therefore left out."""
    target, segment, in_window, due, sent, done, status, body, answer = [], [], [], [], [], [], [], [], []
    n_in_flight = 0
    for number, recording in enumerate(recordings):
        n = recording.n_due
        due_s = np.array(recording.due_s[:n])
        outcome = np.array(recording.status[:n], dtype=np.int16)
        known = outcome != PENDING
        n_in_flight += int(n - known.sum())
        kept = int(known.sum())
        target.append(np.full(kept, recording.segment.target, dtype=np.int16))
        segment.append(np.full(kept, number, dtype=np.int16))
        in_window.append(due_s[known] >= recording.segment.warm_up_s)
        due.append(due_s[known])
        sent.append(np.array(recording.sent_s[:n])[known])
        done.append(np.array(recording.done_s[:n])[known])
        status.append(outcome[known])
        body.append(np.array(recording.body[:n], dtype=np.int32)[known])
        answer.append(np.array(recording.answer[:n], dtype=np.int32)[known])
    if not recordings:
        raise ValueError("no segment was started")
    all_bodies = np.concatenate(body)
    samples = Samples(
        targets,
        np.concatenate(target),
        np.concatenate(segment),
        np.concatenate(in_window),
        np.concatenate(due),
        np.concatenate(sent),
        np.concatenate(done),
        np.concatenate(status),
        bodies.n_candidates[all_bodies],
        all_bodies,
        np.concatenate(answer),
    )
    return samples, n_in_flight
