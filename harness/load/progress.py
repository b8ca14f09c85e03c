"""Lines of progress, in a file that the harness follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.load.load_plan import PROGRESS, LoadPlan
from harness.load.recording import Rows
from harness.load.schedule import Segment


class Progress:
    """Tells of the segment that runs how far it is, and the p99 of the answers that came in since the last line."""

    def __init__(self, plan: LoadPlan, segments: Sequence[Segment]) -> None:
        self._plan, self._segments = plan, segments
        self._file = (plan.out / PROGRESS).open("a", encoding="utf-8", buffering=1)
        self._n_due, self._n_ok, self._due_s = [0] * len(segments), [0] * len(segments), 0.0
        self._latency_ms: list[float] = []

    def add(self, rows: Rows) -> None:
        """Rows of one segment have come in."""
        if rows.size:
            ok = (rows["status"] >= 200) & (rows["status"] < 300)
            number = int(rows["segment"][0])
            self._n_due[number] += rows.size
            self._n_ok[number] += int(ok.sum())
            self._due_s = float(rows["due_s"][-1])
            self._latency_ms += ((rows["done_s"] - rows["due_s"])[ok] * 1e3).tolist()

    def say(self, number: int) -> None:
        """A line about a segment, unless nothing new is known."""
        if self._due_s:
            p99 = f"p99 {np.quantile(self._latency_ms, 0.99):.1f} ms" if self._latency_ms else "no answers"
            at = f"{self._due_s:.0f}/{self._segments[number].duration_s:.0f} s"
            self._line(number, f"{at}, {self._n_due[number]} due, {p99} of late")
            self._due_s = 0.0
            self._latency_ms.clear()

    def say_done(self, number: int) -> None:
        """The line that ends a segment."""
        self._line(number, f"done, {self._n_ok[number]} of {self._n_due[number]} requests answered")
        self._due_s = 0.0
        self._latency_ms.clear()

    def _line(self, number: int, text: str) -> None:
        segment = self._segments[number]
        round_ = f"{segment.round - self._plan.first_round + 1}/{self._plan.traffic.rounds}"
        self._file.write(f"{self._plan.targets[segment.target].name}, round {round_}: {text}\n")
