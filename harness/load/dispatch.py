"""The hot loop: sends a segment's requests when they are due, whatever becomes of the ones before.

Nothing here parses, allocates arrays or fires events; the garbage collector is off while it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import gevent
from gevent.pool import Pool

from harness.load.recording import Recording
from harness.load.timer import Timer
from harness.samples import TRANSPORT_ERROR, UNSENT

Send = Callable[[int], tuple[int, int]]
"""Body index -> HTTP status or TRANSPORT_ERROR, and where the answer is kept; returns within the time-out."""

_LEAD_S = 0.05


def run_open(recording: Recording, send: Send, max_in_flight: int, timer: Timer) -> None:
    """Send every request at its due time; one that finds `max_in_flight` others waiting stays unsent.

    Returns when the last answer is in.
    """
    pool = Pool(max_in_flight)
    start = monotonic() + _LEAD_S
    bodies, sent_s, done_s, status = recording.body, recording.sent_s, recording.done_s, recording.status
    answers = recording.answer

    def one(i: int) -> None:
        sent_s[i] = monotonic() - start
        outcome, answers[i] = send(bodies[i])
        if outcome != TRANSPORT_ERROR:
            done_s[i] = monotonic() - start
        status[i] = outcome

    try:
        for i, due_s in enumerate(recording.due_s):
            if start + due_s > monotonic():
                timer.wait_until(start + due_s)
            else:
                gevent.sleep(0)  # behind: let what is due already go out, and answers come in
            recording.n_due = i + 1
            if pool.full():
                status[i] = UNSENT
            else:
                pool.spawn(one, i)
        pool.join()
    finally:
        pool.kill(block=False)


def run_closed(recording: Recording, send: Send) -> None:
    """Send one request after another: each is due when the one before it has ended."""
    segment = recording.segment
    bodies = segment.body.tolist()
    start = monotonic()
    while (due_s := monotonic() - start) < segment.duration_s:
        body = bodies[recording.n_due % len(bodies)]
        i = recording.append(due_s, body)
        outcome, recording.answer[i] = send(body)
        if outcome != TRANSPORT_ERROR:
            recording.done_s[i] = monotonic() - start
        recording.status[i] = outcome
