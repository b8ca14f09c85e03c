"""One load test inside the Locust process: prime, run the segments, watch itself, write what was measured."""

from __future__ import annotations

import gc
import json
import time
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import gevent
import numpy as np

from harness.load.answer_store import AnswerStore
from harness.load.bodies import open_bodies
from harness.load.dispatch import run_closed, run_open
from harness.load.histograms import latency_histograms
from harness.load.load_plan import ANSWERS, HISTOGRAMS, INFO, PROGRESS, SAMPLES, LoadPlan
from harness.load.recording import Recording, to_samples
from harness.load.sender import Sender
from harness.load.timer import open_timer
from harness.records import LoadInfo

_PRIMING_REQUESTS = 8
_TICK_S = 1.0


class LoadTest:
    """State of a load test. `run` may be cut short at any point; `write` then keeps what there is."""

    def __init__(self, folder: Path) -> None:
        self.plan = LoadPlan.read(folder)
        self.schedule = self.plan.schedule()
        self.complete = False
        self._bodies = [open_bodies(folder / self.plan.bodies(place)) for place in range(len(self.plan.targets))]
        self._store = AnswerStore()
        self._timer, notes = open_timer()
        self._notes = list(notes)
        self._recordings: list[Recording] = []
        self._senders: list[Sender] = []
        self._cpu_shares: list[float] = []
        self._progress = (folder / PROGRESS).open("a", encoding="utf-8", buffering=1)

    def run(self) -> None:
        """Run all segments."""
        traffic = self.plan.traffic
        self._senders = [
            Sender(target, bodies, traffic.timeout_s, partial(self._store.index, place))
            for place, (target, bodies) in enumerate(zip(self.plan.targets, self._bodies, strict=True))
        ]
        for sender, target in zip(self._senders, self.plan.targets, strict=True):
            self._prime(sender, target.name)
        gc.collect()
        gc.freeze()
        gc.disable()
        watch = gevent.spawn(self._watch_itself)
        try:
            for segment in self.schedule.segments:
                recording = Recording(segment)
                self._recordings.append(recording)
                send = self._senders[segment.target].send
                if traffic.arrival == "closed":
                    run_closed(recording, send)
                else:
                    run_open(recording, send, traffic.max_in_flight, self._timer)
                self._say_end(recording)
        finally:
            watch.kill(block=False)
        self.complete = True

    def write(self) -> None:
        """Write samples, histograms and what the generator says of itself into the plan's `out`."""
        if not self._recordings:
            return
        names = tuple(target.name for target in self.plan.targets)
        samples, n_in_flight = to_samples(names, self._recordings, self._bodies[0])
        notes = list(self._notes)
        for name, sender in zip(names, self._senders, strict=True):
            if sender.last_error:
                notes.append(f"{name}: last failure: {sender.last_error}")
        if n_in_flight:
            notes.append(f"{n_in_flight} requests in flight when the run was cut short are left out")
        info = LoadInfo(
            schedule_sha256=self.schedule.sha256,
            arrival=self.plan.traffic.arrival,
            offered_qps=self.plan.traffic.offered_qps,
            n_planned=self.schedule.n_planned or len(samples),
            generator_cpu_share=float(np.mean(self._cpu_shares)) if self._cpu_shares else float("nan"),
            generator_cpu_share_max=max(self._cpu_shares, default=float("nan")),
            timer="" if self.plan.traffic.arrival == "closed" else self._timer.name,
            locust_version=metadata.version("locust"),
            complete=self.complete,
            notes=tuple(notes),
        )
        out = self.plan.out
        samples.save(out / SAMPLES)
        self._store.answers(names, [sender.credentials.hidden for sender in self._senders]).save(out / ANSWERS)
        (out / HISTOGRAMS).write_text(json.dumps(latency_histograms(samples)), encoding="utf-8")
        (out / INFO).write_text(info.model_dump_json(indent=1), encoding="utf-8")

    def _prime(self, sender: Sender, name: str) -> None:
        """Open some connections before the clock runs; failures are noted, and the run goes on to show them."""
        n = min(_PRIMING_REQUESTS, self.plan.traffic.max_in_flight)
        tries = [gevent.spawn(sender.send, i % self.plan.n_bodies) for i in range(n)]
        gevent.joinall(tries)
        n_failed = sum(not 200 <= attempt.value[0] < 300 for attempt in tries)
        if n_failed:
            self._notes.append(f"{name}: {n_failed} of {n} requests before the run failed ({sender.last_error})")
            sender.last_error = ""

    def _watch_itself(self) -> None:
        """Once a second: the generator's share of a core, and a line of progress."""
        wall_s, cpu_s, recording, seen = time.monotonic(), time.process_time(), None, 0
        while True:
            gevent.sleep(_TICK_S)
            now_s, used_s = time.monotonic(), time.process_time()
            self._cpu_shares.append((used_s - cpu_s) / (now_s - wall_s))
            wall_s, cpu_s = now_s, used_s
            if recording is not self._recordings[-1]:
                recording, seen = self._recordings[-1], 0
            self._say(recording, seen)
            seen = recording.n_due

    def _say(self, recording: Recording, first: int) -> None:
        segment = recording.segment
        latency_ms = recording.latencies_ms(first)
        p99 = f"p99 of the last second {np.quantile(latency_ms, 0.99):.1f} ms" if latency_ms.size else "no answers"
        due_s = recording.due_s[recording.n_due - 1] if recording.n_due else 0.0
        self._line(segment, f"{due_s:.0f}/{segment.duration_s:.0f} s, {recording.n_due} due, {p99}")

    def _say_end(self, recording: Recording) -> None:
        n, n_ok = recording.n_due, sum(200 <= status < 300 for status in recording.status)
        self._line(recording.segment, f"done, {n_ok} of {n} requests answered")

    def _line(self, segment: Any, text: str) -> None:
        name = self.plan.targets[segment.target].name
        self._progress.write(f"{name}, round {segment.round + 1}/{self.plan.traffic.rounds}: {text}\n")
