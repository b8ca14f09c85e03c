"""Tallies that merge without loss: HDR histograms of latency, and what became of the requests of each second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

from harness.load.recording import Rows
from harness.load.schedule import Segment
from harness.samples import UNSENT

HIGHEST_US = 100_000_000
"""Highest trackable value; failed and unsent requests are recorded at it, so that they count as over every limit."""

SECOND = ("due", "done", "failed", "unsent")
"""Columns of a tally's seconds: requests due, failed and unsent by the second they were due in, done by that of the
answer (late ones in the last)."""


@dataclass(frozen=True)
class Tally:
    """What one worker, or several together, saw of a segment.

    histogram: latencies of the judged window in microseconds, three significant digits;
    seconds: (n_seconds, 4) counts of `SECOND`, warm-up included.
    """

    histogram: Any
    seconds: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Rows, segment: Segment) -> Tally:
        """The tally of rows that all belong to `segment`."""
        due_s, done_s, status = rows["due_s"], rows["done_s"], rows["status"]
        ok, unsent = (status >= 200) & (status < 300), status == UNSENT
        latency_us = np.where(ok, (done_s - due_s) * 1e6, HIGHEST_US)[due_s >= segment.warm_up_s]
        histogram = empty_histogram()
        values, counts = np.unique(np.clip(latency_us, 1, HIGHEST_US).round().astype(np.int64), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            histogram.record_value(value, count)
        n_seconds = max(1, math.ceil(segment.duration_s))

        def per_second(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
            return np.bincount(np.clip(times_s, 0, n_seconds - 1).astype(np.int64), minlength=n_seconds)

        columns = (due_s, done_s[ok], due_s[~ok & ~unsent], due_s[unsent])
        return cls(histogram, np.stack([per_second(times_s) for times_s in columns], axis=1))

    def merge(self, other: Tally) -> Tally:
        """Both together; changes the histogram of this one."""
        self.histogram.add(other.histogram)
        return Tally(self.histogram, self.seconds + other.seconds)

    def to_data(self) -> dict[str, Any]:
        """Plain values, for a report."""
        return {"histogram": encoded(self.histogram), "seconds": self.seconds.tolist()}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Tally:
        """What `to_data` made."""
        histogram = empty_histogram()
        histogram.decode_and_add(data["histogram"])
        return cls(histogram, np.array(data["seconds"], np.int64).reshape(-1, len(SECOND)))


def empty_histogram() -> Any:
    """A histogram of 1 us to `HIGHEST_US`."""
    return HdrHistogram(1, HIGHEST_US, 3)


def encoded(histogram: Any) -> str:
    """A histogram in the base64 form that every HdrHistogram library reads."""
    return str(histogram.encode().decode("ascii"))
