"""The master of a load test: starts every segment once all workers are ready for it, and gathers what they measured.

Runs in Locust's master process, or beside the only worker where there is no master.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import gevent
import psutil
from gevent.lock import RLock
from locust.runners import STATE_MISSING, MasterRunner

from harness.load.bodies import open_bodies
from harness.load.gathered import Gathered
from harness.load.joined import highest
from harness.load.load_plan import INFO, LoadPlan
from harness.load.progress import ProgressFile
from harness.load.reports import KEY, Report, WorkerState
from harness.load.schedule import Schedule, digest
from harness.records import PRECISE_TIMER, LoadInfo

ASSIGN, GO = "ranking_assign", "ranking_go"
"""Messages to workers: which share of the traffic is theirs; all are ready for a segment."""

_TICK_S = 0.5
_BARRIER_S = 30.0


@dataclass
class _Worker:
    number: int
    arrived: int = -1
    lost: bool = False
    state: WorkerState = field(default_factory=WorkerState)


class Collector:
    """State of the master. A worker counts as lost once Locust misses its heartbeats, or once it has not arrived at a
    segment's start `traffic.timeout_s` + 30 s after the first; the others then go on without it."""

    def __init__(self, environment: Any, folder: Path, plan: LoadPlan) -> None:
        self._environment, self._folder, self._plan = environment, folder, plan
        self._workers: dict[str, _Worker] = {}
        self._schedules: tuple[Schedule, ...] = ()
        self._gathered: Gathered | None = None
        self._released, self._first_arrival_s = -1, 0.0
        self._complete, self._ending, self._finished = False, False, False
        self._finishing = RLock()
        self._notes: list[str] = []
        self._progress: ProgressFile | None = None

    def begin(self, **_: Any) -> None:
        """The test starts: give each connected worker its share. Those that join later get none."""
        if self._workers:
            return
        runner, plan = self._environment.runner, self._plan
        distributed = isinstance(runner, MasterRunner)
        clients = sorted(runner.clients, key=runner.get_worker_index) if distributed else [runner.client_id]
        self._schedules = plan.schedules(self._folder, len(clients))
        plan.out.mkdir(parents=True, exist_ok=True)
        n_candidates = open_bodies(self._folder / plan.bodies(0)).n_candidates
        self._gathered = Gathered(plan.out, plan.names, self._schedules[0].segments, n_candidates)
        self._progress = ProgressFile(plan, self._schedules[0].segments)
        for number, client in enumerate(clients):
            self._workers[client] = _Worker(number)
            runner.send_message(ASSIGN, {"worker": number, "n_workers": len(clients)}, client)
        gevent.spawn(self._look_on)

    def receive(self, client_id: str, data: dict[str, Any]) -> None:
        """A report has come in."""
        worker = self._workers.get(client_id)
        if worker is None or self._gathered is None or self._progress is None or KEY not in data:
            return
        report = Report.from_data(data[KEY])
        worker.state = report.state
        try:
            self._gathered.add(report.rows, report.answers)
        except OSError as error:
            self._fail(f"can't write the journal in {self._plan.out}: {error.strerror or error}")
        if report.tally is not None:
            self._gathered.add_tally(worker.number, *report.tally)
        self._progress.add(report.rows)
        if report.state.failure:
            self._fail(f"{self._name(worker)}{report.state.failure}")
        if report.arrived > worker.arrived:
            worker.arrived = report.arrived
            if worker.lost:  # it is back: let it catch up, so that it does not wait for ever
                self._environment.runner.send_message(GO, {"segment": min(report.arrived, self._released)}, client_id)
            self._release()

    def finish(self, **_: Any) -> None:
        """Locust ends, by itself or by a signal: keep what was measured, and leave no worker behind.

        A signal ends Locust a second time while the first end is still under way: it waits for that.
        """
        with self._finishing:
            if not self._finished:
                self._finished = True
                self._finish()

    def _finish(self) -> None:
        runner = self._environment.runner
        if isinstance(runner, MasterRunner):
            if not self._ending:
                self._ending = True
                runner.quit()  # workers send what they have
            for child in psutil.Process().children():
                child.kill()
        if self._gathered is not None and self._released >= 0:
            n_samples = self._gathered.write()
            (self._plan.out / INFO).write_text(self._info(n_samples).model_dump_json(indent=1), encoding="utf-8")

    def _release(self) -> None:
        """Start the next segment if every worker that is still there is ready for it; end after the last."""
        there = [worker for worker in self._workers.values() if not worker.lost]
        n_segments = len(self._schedules[0].segments)
        while there and self._released < n_segments and all(worker.arrived > self._released for worker in there):
            if self._progress is not None and self._released >= 0:
                self._progress.say_done(self._released)
            self._released += 1
            self._first_arrival_s = 0.0
        if any(worker.arrived > self._released for worker in there):
            self._first_arrival_s = self._first_arrival_s or time.monotonic()
        self._complete = self._released == n_segments
        if self._complete or not there:
            self._end()
            return
        for client, worker in self._workers.items():
            if worker.arrived == self._released:
                self._environment.runner.send_message(GO, {"segment": self._released}, client)

    def _look_on(self) -> None:
        while True:
            gevent.sleep(_TICK_S)
            if self._ending:  # from now on workers leave because they were told to
                return
            for client, worker in self._workers.items():
                if not worker.lost and worker.arrived < len(self._schedules[0].segments) and self._is_lost(client):
                    worker.lost = True
                    self._notes.append(f"{self._name(worker)}lost in segment {worker.arrived + 1}")
                    self._release()
            if self._progress is not None and 0 <= self._released < len(self._schedules[0].segments):
                self._progress.say(self._released)

    def _is_lost(self, client: str) -> bool:
        runner = self._environment.runner
        if not isinstance(runner, MasterRunner):
            return False
        waited_s = time.monotonic() - self._first_arrival_s if self._first_arrival_s else 0.0
        late = self._workers[client].arrived <= self._released and waited_s > self._plan.traffic.timeout_s + _BARRIER_S
        return late or client not in runner.clients or runner.clients[client].state == STATE_MISSING

    def _fail(self, why: str) -> None:
        if why not in self._notes:
            self._notes.append(why)
        self._environment.process_exit_code = 1
        self._end()

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            gevent.spawn(self._quit)  # quitting kills the greenlet that a report comes in on

    def _quit(self) -> None:
        self._environment.runner.quit()
        if self._environment.web_ui is not None:
            self._environment.web_ui.stop()

    def _name(self, worker: _Worker) -> str:
        return f"load process {worker.number + 1}: " if len(self._workers) > 1 else ""

    def _info(self, n_samples: int) -> LoadInfo:
        traffic, workers = self._plan.traffic, list(self._workers.values())
        states = [worker.state for worker in workers]
        n_planned = sum(schedule.n_planned for schedule in self._schedules) or n_samples
        notes = [*self._notes, *(f"{self._name(w)}{note}" for w in workers for note in w.state.notes)]
        n_in_flight = sum(state.n_in_flight for state in states)
        if n_in_flight and not self._complete:
            notes.append(f"{n_in_flight} requests in flight when the run was cut short are left out")
        timers = [state.timer for state in states]
        replayed_qps = n_planned / self._schedules[0].duration_s
        return LoadInfo(
            schedule_sha256=digest(self._schedules),
            arrival=traffic.arrival,
            offered_qps=replayed_qps if traffic.arrival == "replay" else traffic.offered_qps,
            n_planned=n_planned,
            window_s=traffic.window_s,
            generator_cpu_share=highest(state.cpu_share for state in states),
            generator_cpu_share_max=highest(state.cpu_share_max for state in states),
            loop_lag_ms_max=highest(state.loop_lag_ms_max for state in states),
            n_workers=len(workers),
            n_workers_lost=sum(worker.lost for worker in workers),
            n_out_of_step={
                name: sum(sum(state.n_out_of_step[number : number + 1]) for state in states)
                for number, name in enumerate(self._plan.names)
            },
            timer=next((t for t in timers if t not in ("", PRECISE_TIMER)), max(timers)),
            locust_version=metadata.version("locust"),
            complete=self._complete,
            notes=tuple(notes),
            segment_start_s=states[0].segment_start_s if states else (),
        )
