"""The journal of several workers becomes one samples file whose rows point to one answers file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.answers import Answers
from harness.load.answer_store import AnswerStore
from harness.load.journal import ANSWER_JOURNAL, ROW_JOURNAL, Journal, read_rows, write_samples
from harness.load.load_plan import ANSWERS, SAMPLES
from harness.load.recording import ROW, Rows
from harness.load.schedule import Segment
from harness.samples import NO_ANSWER, Samples

SEGMENT = Segment(0, 0, 0.0, 1.0, np.empty(0), np.empty(0, np.int32))
SIZES = np.array([3, 5, 4], np.int32)


def rows_of(worker: int, answers: list[int]) -> Rows:
    rows = np.zeros(len(answers), ROW)
    rows["worker"], rows["status"], rows["answer"] = worker, 200, answers
    rows["due_s"] = np.arange(len(answers)) / 10 + worker / 100
    return rows


def store_of(worker: int, *answers: bytes) -> AnswerStore:
    store = AnswerStore(worker)
    for body, answer in enumerate(answers):
        store.index(0, bytes, body, "", answer)
    return store


def finish(out: Path) -> tuple[Samples, Answers]:
    write_samples(out, ("a",), [SEGMENT], SIZES)
    assert sorted(path.name for path in out.iterdir()) == sorted([ANSWERS, SAMPLES])
    return Samples.load(out / SAMPLES), Answers.load(out / ANSWERS)


def said(samples: Samples, answers: Answers, worker: int) -> list[bytes | None]:
    own = samples.answer[samples.worker == worker].tolist()
    return [None if index == NO_ANSWER else answers.blobs[index] for index in own]


def test_each_row_points_to_its_answer_whichever_worker_kept_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(rows_of(1, [1, 0]).tobytes(), store_of(1, b"x", b"y").take(1000))
    journal.append(rows_of(0, [0, NO_ANSWER, 1]).tobytes(), store_of(0, b"x", b"z").take(1000))
    journal.close()
    samples, answers = finish(tmp_path)
    assert said(samples, answers, 0) == [b"x", None, b"z"]
    assert said(samples, answers, 1) == [b"y", b"x"]
    assert sorted(answers.blobs) == [b"x", b"y", b"z"]


def test_an_answer_that_was_lost_is_none_and_shifts_no_other(tmp_path: Path) -> None:
    journal, store = Journal(tmp_path), store_of(0, b"x", b"lost", b"z")
    first, _, third = store.take(1), store.take(1), store.take(1)
    journal.append(rows_of(0, [0, 1, 2, 0]).tobytes(), first + third)
    journal.append(rows_of(1, [0]).tobytes(), store_of(1, b"z").take(1000))
    journal.close()
    samples, answers = finish(tmp_path)
    assert said(samples, answers, 0) == [b"x", None, None, b"x"]
    assert said(samples, answers, 1) == [b"z"]


def test_files_cut_off_in_the_middle(tmp_path: Path) -> None:
    rows, raw = rows_of(0, [0, 1, 1]), store_of(0, b"x", b"half of it").take(1000)
    (tmp_path / ROW_JOURNAL).write_bytes(rows.tobytes() + rows.tobytes()[: ROW.itemsize - 1])
    (tmp_path / ANSWER_JOURNAL).write_bytes(raw[:-5])
    assert read_rows(tmp_path).tobytes() == rows.tobytes()
    samples, answers = finish(tmp_path)
    assert said(samples, answers, 0) == [b"x", None, None]


def test_a_journal_without_anything(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    samples, answers = finish(tmp_path)
    assert (len(samples), len(answers)) == (0, 0)
