"""Rows are taken once their outcome is known, each once; what was in flight when a run is cut short is left out."""

from __future__ import annotations

import numpy as np

from harness.load.arrivals import Share
from harness.load.journal import to_samples
from harness.load.recording import Recording
from harness.load.schedule import plan
from harness.samples import NO_ANSWER, UNSENT
from harness.scenario.traffic import Traffic

TRAFFIC = Traffic(arrival="constant", offered_qps=10, warm_up_s=0.3, window_s=1, rounds=1)


def cut_short(worker: int = 0, n_workers: int = 1) -> Recording:
    """Six requests due: a 200, a 500, a failure, one in flight, one unsent, one handed over but not sent yet."""
    recording = Recording(plan(TRAFFIC, 1, 2, share=Share(worker, n_workers)).segments[0], 0, worker)
    recording.n_due = 6
    for i, (sent_s, done_s, status) in enumerate([(0, 0.01, 200), (0.1, 0.11, 500), (0.2, None, -1)]):
        recording.sent_s[i], recording.status[i] = sent_s, status
        recording.done_s[i] = np.nan if done_s is None else done_s
    recording.answer[0] = 7
    recording.sent_s[3] = 0.3
    recording.status[4] = UNSENT
    return recording


def test_a_run_cut_short() -> None:
    recording = cut_short()
    samples = to_samples(("a",), [recording.segment], recording.take(100), np.array([3, 5], np.int32))
    assert recording.n_left == 2
    assert samples.answer.tolist() == [7, NO_ANSWER, NO_ANSWER, NO_ANSWER]
    assert samples.status.tolist() == [200, 500, -1, UNSENT]
    np.testing.assert_allclose(samples.due_s, [0, 0.1, 0.2, 0.4])
    assert samples.in_window.tolist() == [False, False, False, True]
    assert samples.n_candidates.tolist() == [(3, 5)[b] for b in samples.body]


def test_each_row_is_taken_once_and_late_outcomes_later() -> None:
    recording = cut_short()
    assert recording.take(2)["status"].tolist() == [200, 500]
    assert recording.take(2)["status"].tolist() == [-1]
    assert recording.take(2)["status"].tolist() == [UNSENT]
    assert recording.take(2).size == 0
    recording.status[5], recording.done_s[5] = 200, 0.9
    recording.status[3], recording.done_s[3] = 200, 0.8
    late = recording.take(2)
    assert late["done_s"].tolist() == [0.8, 0.9]
    np.testing.assert_allclose(late["due_s"], [0.3, 0.5])
    assert recording.n_left == 0


def test_rows_of_several_workers_become_one_ordered_table() -> None:
    recordings = [cut_short(worker, 2) for worker in (0, 1)]
    rows = np.concatenate([recording.take(100) for recording in recordings[::-1]])
    samples = to_samples(("a",), [recordings[0].segment], rows, np.array([3, 5], np.int32))
    assert (np.diff(samples.due_s) >= 0).all()
    assert samples.worker.tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
