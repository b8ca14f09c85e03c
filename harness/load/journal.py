"""The journal: every row at once, in a file that outlives the process; samples are made of it at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.load.recording import ROW, Rows
from harness.load.schedule import Segment
from harness.samples import Samples

JOURNAL = "journal.bin"
"""Rows end to end, nothing else. Gone once the samples are written."""


def read_journal(out: Path) -> Rows:
    """All whole rows of the journal in `out`; the last one may have been cut off with its process."""
    raw = (out / JOURNAL).read_bytes()
    return np.frombuffer(raw[: len(raw) - len(raw) % ROW.itemsize], ROW)


def to_samples(
    targets: tuple[str, ...], segments: Sequence[Segment], rows: Rows, n_candidates: NDArray[np.int32]
) -> Samples:
    """Rows of any number of workers as samples by segment and due time; `n_candidates`: (n_bodies,) of each body."""
    rows = rows[np.lexsort((rows["due_s"], rows["segment"]))]
    target = np.array([segment.target for segment in segments], np.int16)
    warm_up_s = np.array([segment.warm_up_s for segment in segments])
    return Samples(
        targets=targets,
        target=target[rows["segment"]],
        segment=rows["segment"].copy(),
        in_window=rows["due_s"] >= warm_up_s[rows["segment"]],
        due_s=rows["due_s"].copy(),
        sent_s=rows["sent_s"].copy(),
        done_s=rows["done_s"].copy(),
        status=rows["status"].copy(),
        n_candidates=n_candidates[rows["body"]],
        body=rows["body"].copy(),
        worker=rows["worker"].copy(),
    )
