"""What the workers of a load test have reported, and the files that it becomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import gevent
import numpy as np
from gevent.lock import RLock
from numpy.typing import NDArray

from harness.load.histograms import SECOND, Tally, empty_histogram, encoded
from harness.load.journal import Journal, write_samples
from harness.load.load_plan import HISTOGRAMS, SECONDS
from harness.load.recording import Rows
from harness.load.schedule import Segment


class Gathered:
    """Rows and answers go into the journal in `out` as they come; tallies of segments are merged over workers."""

    def __init__(
        self, out: Path, targets: tuple[str, ...], segments: Sequence[Segment], n_candidates: NDArray[np.int32]
    ) -> None:
        self._out, self._targets, self._segments, self._n_candidates = out, targets, segments, n_candidates
        self._journal = Journal(out)
        self._writing = RLock()
        self._tallies: dict[int, Tally] = {}
        self._tallied: set[tuple[int, int]] = set()

    def add(self, rows: Rows, answers: bytes) -> None:
        """Keep rows and packed answers.

        A thread writes them, so that a slow disk does not hold up requests sent by this process.
        """
        if (rows["segment"] >= len(self._segments)).any() or (rows["body"] >= self._n_candidates.size).any():
            raise ValueError("rows of another plan")
        with self._writing:
            if not self._journal.closed:  # else the results are written already
                gevent.get_hub().threadpool.apply(self._journal.append, (rows.tobytes(), answers))

    def add_tally(self, worker: int, segment: int, tally: Tally) -> None:
        """Keep the tally of a worker's whole segment."""
        before = self._tallies.get(segment)
        self._tallies[segment] = tally if before is None else before.merge(tally)
        self._tallied.add((worker, segment))

    def write(self) -> int:
        """Make samples and answers of the journal, and write histograms and counts per second; how many samples."""
        with self._writing:
            self._journal.close()
        rows = write_samples(self._out, self._targets, self._segments, self._n_candidates)
        for worker, segment in np.unique(rows[["worker", "segment"]]).tolist():
            if (worker, segment) not in self._tallied:  # cut short
                own = rows[(rows["worker"] == worker) & (rows["segment"] == segment)]
                self.add_tally(worker, segment, Tally.of(own, self._segments[segment]))
        (self._out / HISTOGRAMS).write_text(json.dumps(self._histograms()), encoding="utf-8")
        (self._out / SECONDS).write_text(json.dumps(self._seconds()), encoding="utf-8")
        return int(rows.size)

    def _histograms(self) -> dict[str, str]:
        merged = {name: empty_histogram() for name in self._targets}
        for number, tally in self._tallies.items():
            merged[self._targets[self._segments[number].target]].add(tally.histogram)
        return {name: encoded(histogram) for name, histogram in merged.items()}

    def _seconds(self) -> dict[str, list[int]]:
        """Columns: segment, second of the segment, and the counts of `SECOND`."""
        columns: dict[str, list[int]] = {name: [] for name in ("segment", "second", *SECOND)}
        for number, tally in sorted(self._tallies.items()):
            for second, counts in enumerate(tally.seconds.tolist()):
                for name, value in zip(columns, (number, second, *counts), strict=True):
                    columns[name].append(value)
        return columns
