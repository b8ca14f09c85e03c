"""What workers report to the master: rows, answers, tallies and what they say of themselves, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness.load.histograms import Tally
from harness.load.recording import ROW, Rows

KEY = "ranking"
"""Where a report stands in the data of Locust's own worker report."""
MAX_ROWS = 16_384
"""Most rows of one report (about 0.7 MB); more wait for the next."""
MAX_ANSWER_BYTES = 2 * 2**20
"""Most bytes of kept answers in one report, unless a single answer is larger."""


class WorkerState(BaseModel):
    """What a worker says of itself: CPU time per second of wall time (mean, busiest second), how late its loop was at
    most within judged windows, its timer, when each segment began (CLOCK_MONOTONIC), how many requests it waits for,
    how many connections to each target brought more than the answers, notes, and the error that ended it."""

    model_config = ConfigDict(frozen=True)

    cpu_share: float = float("nan")
    cpu_share_max: float = float("nan")
    loop_lag_ms_max: float = float("nan")
    timer: str = ""
    segment_start_s: tuple[float, ...] = ()
    n_in_flight: int = 0
    n_out_of_step: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True)
class Report:
    """One report of one worker.

    arrived: number of the segment it is ready for, that of the last one plus 1 when it has ended, -1 before the first;
    rows: what has become known since the report before; answers: packed, those that are new since then;
    tally: (segment, its tally), once when a segment has ended.
    """

    worker: int
    arrived: int
    rows: Rows
    answers: bytes
    tally: tuple[int, Tally] | None
    state: WorkerState

    def to_data(self) -> dict[str, Any]:
        """As plain values and bytes."""
        return {
            "worker": self.worker,
            "arrived": self.arrived,
            "rows": self.rows.tobytes(),
            "answers": self.answers,
            "tally": None if self.tally is None else [self.tally[0], self.tally[1].to_data()],
            "state": self.state.model_dump(),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Report:
        """What `to_data` made; ValueError, KeyError or TypeError where it is something else."""
        tally = data["tally"]
        return cls(
            worker=int(data["worker"]),
            arrived=int(data["arrived"]),
            rows=np.frombuffer(data["rows"], ROW),
            answers=bytes(data["answers"]),
            tally=None if tally is None else (int(tally[0]), Tally.from_data(tally[1])),
            state=WorkerState.model_validate(data["state"]),
        )
