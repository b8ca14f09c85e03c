"""The journal: every row and every kept answer at once, in files that outlive the process; read at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.answers import Answers, merged
from harness.load.answer_store import Kept, unpacked
from harness.load.load_plan import ANSWERS, SAMPLES
from harness.load.recording import ROW, Rows
from harness.load.schedule import Segment
from harness.samples import NO_ANSWER, Samples

ROW_JOURNAL, ANSWER_JOURNAL = "rows.journal", "answers.journal"
"""Rows, and packed answers, end to end, nothing else. Gone once the samples are written."""


class Journal:
    """Both files in `out`, new and open for appending."""

    def __init__(self, out: Path) -> None:
        self._answers = (out / ANSWER_JOURNAL).open("wb", buffering=0)
        self._rows = (out / ROW_JOURNAL).open("wb", buffering=0)

    def append(self, rows: bytes, answers: bytes) -> None:
        """Write what one report brought: the answers first, for rows refer to them."""
        for file, raw in ((self._answers, memoryview(answers)), (self._rows, memoryview(rows))):
            while raw:
                raw = raw[file.write(raw) :]

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._rows.closed

    def close(self) -> None:
        """Write no more."""
        self._rows.close()
        self._answers.close()


def write_samples(
    out: Path, targets: tuple[str, ...], segments: Sequence[Segment], n_candidates: NDArray[np.int32]
) -> Rows:
    """Make the samples and answers files of the journal in `out`, and remove it; its rows.

    `n_candidates`: (n_bodies,) length of the candidate list of each body.
    """
    rows = read_rows(out)
    samples = to_samples(targets, segments, rows, n_candidates)
    answers, places = read_answers(out, targets, samples)
    answers.save(out / ANSWERS)
    part = out / f"{SAMPLES}.part"
    replace(samples, answer=places).save(part)
    part.replace(out / SAMPLES)  # so that it is whole, or not there
    remove_journal(out)
    return rows


def remove_journal(out: Path) -> None:
    """Remove its files, if there are any."""
    for name in (ROW_JOURNAL, ANSWER_JOURNAL):
        (out / name).unlink(missing_ok=True)


def read_rows(out: Path) -> Rows:
    """All whole rows of the journal in `out`; the last one may have been cut off with its process."""
    raw = (out / ROW_JOURNAL).read_bytes()
    return np.frombuffer(raw[: len(raw) - len(raw) % ROW.itemsize], ROW)


def read_answers(out: Path, targets: tuple[str, ...], samples: Samples) -> tuple[Answers, NDArray[np.int32]]:
    """The kept answers of all workers as one, and the index in it of each sample's answer.

    What was lost with its process, or on its way from another machine, is NO_ANSWER, as is all that its worker
    numbered after it.
    """
    by_worker: dict[int, dict[int, Kept]] = defaultdict(dict)
    for kept in unpacked((out / ANSWER_JOURNAL).read_bytes()):
        by_worker[kept.worker][kept.number] = kept
    n_workers = 1 + max([*by_worker, int(samples.worker.max(initial=0))])
    whole, maps = merged([_in_order(targets, by_worker[worker]) for worker in range(n_workers)])
    places = np.full(len(samples), NO_ANSWER, np.int32)
    for worker, own in enumerate(maps):
        there = (samples.worker == worker) & (samples.answer < own.size - 1)
        places[there] = own[samples.answer[there]]
    return whole, places


def _in_order(targets: tuple[str, ...], kept: Mapping[int, Kept]) -> Answers:
    """One worker's answers, as far as they are there without a gap."""
    whole = [kept[number] for number in takewhile(kept.__contains__, count())]
    return Answers(
        targets=targets,
        target=np.array([entry.target for entry in whole], np.int16),
        body=np.array([entry.body for entry in whole], np.int32),
        heads=tuple(entry.head for entry in whole),
        blobs=tuple(entry.answer for entry in whole),
    )


def to_samples(
    targets: tuple[str, ...], segments: Sequence[Segment], rows: Rows, n_candidates: NDArray[np.int32]
) -> Samples:
    """Rows of any number of workers as samples by segment and due time; `answer` is the index at the row's worker."""
    rows = rows[np.lexsort((rows["due_s"], rows["segment"]))]
    target = np.array([segment.target for segment in segments], np.int16)
    warm_up_s = np.array([segment.warm_up_s for segment in segments])
    return Samples(
        targets=targets,
        target=target[rows["segment"]],
        in_window=rows["due_s"] >= warm_up_s[rows["segment"]],
        n_candidates=n_candidates[rows["body"]],
        **{
            name: rows[name].copy()
            for name in ("segment", "due_s", "sent_s", "done_s", "status", "body", "worker", "answer")
        },
    )
