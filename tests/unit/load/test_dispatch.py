"""The hot loop on gevent's real loop: order, the cap, waiting, and stopping."""

from __future__ import annotations

import sys
from time import monotonic

import gevent
import numpy as np
import pytest
from gevent.event import Event

from harness.load.dispatch import run_closed, run_open
from harness.load.recording import Recording
from harness.load.schedule import plan
from harness.load.timer import SleepTimer, Timer, open_timer
from harness.records import PRECISE_TIMER
from harness.samples import NO_ANSWER, TRANSPORT_ERROR, UNSENT
from harness.scenario.traffic import Traffic

TIMERS = [SleepTimer(), open_timer()]


def recording(**traffic: object) -> Recording:
    settings = {"offered_qps": 500, "warm_up_s": 0, "window_s": 0.2, "rounds": 1, "arrival": "constant"} | traffic
    return Recording(plan(Traffic(**settings), 1, 5).segments[0])


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.name)
def test_sends_each_request_once_and_never_early(timer: Timer) -> None:
    record, seen, before_s = recording(arrival="poisson"), [], monotonic()

    def send(body: int) -> tuple[int, int]:
        seen.append(body)
        gevent.sleep(0.001)
        return (200, body) if body else (TRANSPORT_ERROR, NO_ANSWER)

    run_open(record, send, 1000, timer)
    assert seen == record.body
    sent_s, done_s = np.array(record.sent_s), np.array(record.done_s)
    failed = np.array(record.body) == 0
    assert record.n_due == len(record.due_s)
    assert before_s <= record.start_s <= monotonic() - sent_s[-1]
    assert (sent_s >= np.array(record.due_s)).all()
    assert (done_s[~failed] > sent_s[~failed]).all()
    assert np.isnan(done_s[failed]).all()
    assert record.status == [TRANSPORT_ERROR if f else 200 for f in failed]
    assert record.answer == [NO_ANSWER if f else body for f, body in zip(failed, record.body, strict=True)]


def test_a_full_pool_leaves_requests_unsent_and_never_blocks() -> None:
    record, all_due = recording(), Event()
    in_flight = []

    def send(body: int) -> tuple[int, int]:
        in_flight.append(body)
        all_due.wait()  # answered only after the last request came due: a dispatcher that waits would hang here
        return 200, 0

    def release() -> None:
        while record.n_due < len(record.due_s):
            gevent.sleep(0.01)
        all_due.set()

    releasing = gevent.spawn(release)
    with gevent.Timeout(20):
        run_open(record, send, 3, open_timer())
    releasing.join()
    assert len(in_flight) == 3
    assert record.status == [200] * 3 + [UNSENT] * (len(record.due_s) - 3)
    assert np.isnan(record.sent_s[3:]).all()


def test_a_late_dispatcher_still_lets_answers_in() -> None:
    """Every request is behind its time from the start; a loop that never yields would exhaust the pool."""
    record = recording(offered_qps=50_000, window_s=0.02)
    run_open(record, lambda _: (200, 0), 4, open_timer())
    assert record.status == [200] * len(record.due_s)


def test_interrupted_in_the_middle_it_sends_nothing_more() -> None:
    record = recording(window_s=60)
    run = gevent.spawn(run_open, record, lambda _: (200, 0), 10, open_timer())
    gevent.sleep(0.2)
    run.kill()
    n = record.n_due
    gevent.sleep(0.05)
    assert 0 < n == record.n_due < len(record.due_s)


def test_closed_arrival_is_due_when_sent_and_one_at_a_time() -> None:
    record = recording(arrival="closed")

    def send(_: int) -> tuple[int, int]:
        gevent.sleep(0.005)
        return 200, 0

    run_closed(record, send)
    assert record.due_s == record.sent_s
    assert record.n_due == len(record.status) == len(record.body)
    assert (np.array(record.due_s[1:]) >= np.array(record.done_s[:-1])).all()
    assert record.body[:5] == record.body[5:10]


@pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")
def test_linux_has_the_good_timer() -> None:
    assert open_timer().name == PRECISE_TIMER


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.name)
def test_a_wait_ends_after_its_time_and_lets_others_run(timer: Timer) -> None:
    ran = []
    gevent.spawn(ran.append, 1)
    until = monotonic() + 0.02
    timer.wait_until(until)
    assert monotonic() >= until
    assert ran == [1]
    timer.wait_until(until - 10)
