"""One worker's part of a load test: prime, run the segments together with the others, report what was measured."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
import numpy as np
from gevent.event import Event

from harness.access import Credentials
from harness.load.answer_store import MAX_BYTES, AnswerStore
from harness.load.arrivals import Share
from harness.load.bodies import open_bodies
from harness.load.dispatch import run_closed, run_open
from harness.load.histograms import Tally
from harness.load.load_plan import LoadPlan
from harness.load.recording import ROW, Recording, Rows
from harness.load.reports import MAX_ANSWER_BYTES, MAX_ROWS, Report, WorkerState
from harness.load.timer import open_timer
from harness.load.watchdog import Watchdog

if TYPE_CHECKING:
    from harness.load.user import RankingUser

_PRIMING_REQUESTS = 8


class LoadTest:
    """State of a worker. `run` may be cut short at any point; `report` then still gives what there is.

    `send_report` makes Locust send a report, which calls `report` for it, as Locust does every few seconds by itself.
    """

    def __init__(self, folder: Path, plan: LoadPlan, share: Share, send_report: Callable[[], None]) -> None:
        self._plan, self._share, self._send_report = plan, share, send_report
        self._folder = folder
        self._watchdog = Watchdog(self._judged)
        self._store = AnswerStore(share.worker, MAX_BYTES // share.n_workers)
        self._senders: list[Any] = []
        self._recording: Recording | None = None
        self._segment_start_s: list[float] = []
        self._taken: list[Rows] = []
        self._queue: list[Rows] = []
        self._tally: tuple[int, Tally] | None = None
        self._notes: list[str] = []
        self._timer_name = ""
        self._arrived = -1
        self._released, self._release = -1, Event()
        self.failure = ""

    def run(self, user: RankingUser) -> None:
        """Run all segments, each when `go` has been called for it."""
        traffic = self._plan.traffic
        schedule = self._plan.schedule(self._folder, self._share)
        timer = open_timer()
        self._timer_name = "" if traffic.arrival == "closed" else timer.name
        if self._plan.cpus and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {self._plan.cpus[self._share.worker % len(self._plan.cpus)]})
        for number, target in enumerate(self._plan.targets):
            bodies = open_bodies(self._folder / self._plan.bodies(number))
            keep = partial(self._store.index, number, Credentials(target.access, os.environ).hidden)
            self._senders.append(user.open_sender(target, bodies, traffic.timeout_s, keep))
            self._prime(self._senders[-1], target.name)
        gc.collect()
        gc.freeze()
        gc.disable()
        self._watchdog.start()
        try:
            self._arrive(0)
            for number, segment in enumerate(schedule.segments):
                recording = Recording(segment, number, self._share.worker)
                self._await_release(number)
                user.on_segment_start(segment)
                self._recording = recording
                send = self._senders[segment.target].send
                if traffic.arrival == "closed":
                    run_closed(recording, send)
                else:
                    run_open(recording, send, traffic.max_in_flight, timer)
                user.on_segment_end(segment)
                self._arrive(number + 1)
        finally:
            self._watchdog.stop()

    def go(self, segment: int) -> None:
        """All workers are ready for `segment`."""
        self._released = max(self._released, segment)
        self._release.set()

    def report(self) -> Report:
        """What there is to report since the last time."""
        rows = self._queue.pop(0) if self._queue else self._take()
        tally, self._tally = self._tally, None
        answers = self._store.take(MAX_ANSWER_BYTES)
        return Report(self._share.worker, self._arrived, rows, answers, tally, self._state())

    def _await_release(self, number: int) -> None:
        while self._released < number:
            self._release.clear()
            self._release.wait()

    def _arrive(self, number: int) -> None:
        """Report all that is left of the segment before, and that this worker is ready for the next."""
        if self._recording is not None:
            while (rows := self._take()).size:
                self._queue.append(rows)
            self._tally = self._recording.number, Tally.of(np.concatenate(self._taken), self._recording.segment)
            self._taken.clear()
            self._segment_start_s.append(self._recording.start_s)
            self._recording = None
        while len(self._queue) > 1 or not self._store.all_taken:
            self._send_report()
        self._arrived = number
        self._send_report()

    def _take(self) -> Rows:
        rows = np.zeros(0, ROW) if self._recording is None else self._recording.take(MAX_ROWS)
        self._taken.append(rows)
        return rows

    def _prime(self, sender: Any, name: str) -> None:
        """Open some connections before the clock runs; failures are noted, and the run goes on to show them."""
        n = min(_PRIMING_REQUESTS, self._plan.traffic.max_in_flight)
        tries = [gevent.spawn(sender.send, i % self._plan.n_bodies) for i in range(n)]
        gevent.joinall(tries)
        n_failed = sum(not 200 <= attempt.value[0] < 300 for attempt in tries)
        if n_failed:
            self._notes.append(f"{name}: {n_failed} of {n} requests before the run failed ({sender.last_error})")
            sender.last_error = ""

    def _judged(self) -> bool:
        """Whether a judged window is on."""
        if self._recording is None:
            return False
        segment = self._recording.segment
        return segment.warm_up_s <= time.monotonic() - self._recording.start_s < segment.duration_s

    def _state(self) -> WorkerState:
        shares = self._watchdog.cpu_shares
        errors = [
            f"{target.name}: last failure: {sender.last_error}"
            for target, sender in zip(self._plan.targets, self._senders, strict=False)
            if sender.last_error
        ]
        return WorkerState(
            cpu_share=float(np.mean(shares)) if shares else float("nan"),
            cpu_share_max=max(shares, default=float("nan")),
            loop_lag_ms_max=self._watchdog.loop_lag_ms_max,
            timer=self._timer_name,
            segment_start_s=(*self._segment_start_s, *([] if self._recording is None else [self._recording.start_s])),
            n_in_flight=0 if self._recording is None else self._recording.n_left,
            n_out_of_step=tuple(sender.n_out_of_step for sender in self._senders),
            notes=(*self._notes, *errors),
            failure=self.failure,
        )
