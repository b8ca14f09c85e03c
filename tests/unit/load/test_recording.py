"""Samples keep unsent requests, and leave out what was in flight or not yet due when a run was cut short."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.load.bodies import open_bodies, write_bodies
from harness.load.recording import Recording, to_samples
from harness.load.schedule import plan
from harness.samples import NO_ANSWER, UNSENT
from harness.scenario.schema import Choice, Traffic

BINARY = Choice.model_validate({"kind": "oip", "encoding": "binary"})


def test_a_run_cut_short(tmp_path: Path) -> None:
    write_bodies([np.zeros((n, 2), np.float32) for n in (3, 5)], ("a", "b"), BINARY, tmp_path)
    traffic = Traffic(arrival="constant", offered_qps=10, warm_up_s=0.3, window_s=1, rounds=1)
    recording = Recording(plan(traffic, 1, 2).segments[0])
    recording.n_due = 6
    for i, (sent_s, done_s, status) in enumerate([(0, 0.01, 200), (0.1, 0.11, 500), (0.2, None, -1)]):
        recording.sent_s[i], recording.status[i] = sent_s, status
        recording.done_s[i] = np.nan if done_s is None else done_s
    recording.answer[0] = 7
    recording.sent_s[3] = 0.3  # in flight
    recording.status[4] = UNSENT  # found the pool full; 5 was handed over but not sent, the rest was not yet due
    samples, n_in_flight = to_samples(("a",), [recording], open_bodies(tmp_path))
    assert n_in_flight == 2
    assert samples.answer.tolist() == [7, NO_ANSWER, NO_ANSWER, NO_ANSWER]
    assert samples.status.tolist() == [200, 500, -1, UNSENT]
    np.testing.assert_allclose(samples.due_s, [0, 0.1, 0.2, 0.4])
    assert samples.in_window.tolist() == [False, False, False, True]
    assert samples.n_candidates.tolist() == [(3, 5)[b] for b in samples.body]
