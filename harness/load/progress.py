"""Progress of a load test: events as JSON lines, in a file that the harness follows."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from harness.events import LoadProgress
from harness.load.load_plan import PROGRESS, LoadPlan
from harness.load.recording import Rows
from harness.load.schedule import Segment
from harness.ranking_data import Floats

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
_LOWEST_MS, _HIGHEST_MS, _STEP = 1e-3, 1e5, math.log(1.01)
_BINS = math.ceil(math.log(_HIGHEST_MS / _LOWEST_MS) / _STEP) + 1


class RunningHistogram:
    """Latencies to 1 %, counted by array operations alone: the loop that sends requests may not wait for it.

    The last bin holds failed and unsent requests, which are over every limit.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS + 1, np.int64)

    def add(self, latency_ms: Floats) -> None:
        """Count latencies, infinite ones too."""
        known = np.clip(latency_ms, _LOWEST_MS, _HIGHEST_MS)
        place = np.ceil(np.log(known / _LOWEST_MS) / _STEP).astype(np.int64)
        self._counts += np.bincount(np.where(np.isinf(latency_ms), _BINS, place), minlength=_BINS + 1)

    def percentiles(self) -> dict[str, float | None]:
        """Each of `QUANTILES` in ms, None where it is not answered; empty where nothing was counted."""
        up_to = np.cumsum(self._counts)
        if not up_to[-1]:
            return {}
        places = {name: int(np.searchsorted(up_to, q * up_to[-1])) for name, q in QUANTILES.items()}
        return {name: None if p == _BINS else _LOWEST_MS * math.exp(p * _STEP) for name, p in places.items()}


class ProgressFile:
    """Tells of the segment that runs how far it is, and the latency of its target so far."""

    def __init__(self, plan: LoadPlan, segments: Sequence[Segment]) -> None:
        self._plan, self._segments = plan, segments
        self._file = plan.out / PROGRESS
        self._n_due, self._n_ok, self._due_s = [0] * len(segments), [0] * len(segments), 0.0
        self._judged = [RunningHistogram() for _ in plan.targets]
        self._late = RunningHistogram()

    def add(self, rows: Rows) -> None:
        """Rows of one segment have come in."""
        if rows.size:
            ok: NDArray[np.bool_] = (rows["status"] >= 200) & (rows["status"] < 300)
            number = int(rows["segment"][0])
            segment = self._segments[number]
            self._n_due[number] += rows.size
            self._n_ok[number] += int(ok.sum())
            self._due_s = float(rows["due_s"][-1])
            latency_ms = np.where(ok, (rows["done_s"] - rows["due_s"]) * 1e3, np.inf)
            self._judged[segment.target].add(latency_ms[rows["due_s"] >= segment.warm_up_s])
            self._late.add(latency_ms)

    def say(self, number: int) -> None:
        """Where a segment is, unless nothing new is known."""
        if self._due_s:
            self._write(number, self._due_s, done=False)

    def say_done(self, number: int) -> None:
        """What ends a segment."""
        self._write(number, self._segments[number].duration_s, done=True)

    def _write(self, number: int, passed_s: float, *, done: bool) -> None:
        segment = self._segments[number]
        event = LoadProgress(
            target=self._plan.targets[segment.target].name,
            round=segment.round - self._plan.first_round + 1,
            n_rounds=self._plan.traffic.rounds,
            passed_s=passed_s,
            of_s=segment.duration_s,
            n_due=self._n_due[number],
            n_ok=self._n_ok[number],
            latency_ms=self._judged[segment.target].percentiles(),
            late_p99_ms=self._late.percentiles().get("p99"),
            done=done,
        )
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(event)) + "\n")
        self._due_s, self._late = 0.0, RunningHistogram()
