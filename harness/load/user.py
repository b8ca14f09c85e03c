"""The Locust user that runs a planned load test, to be used as it is or subclassed in a locustfile of your own.

    from harness.load.user import RankingUser

    class Ours(RankingUser):
        def headers(self, target):
            return {"X-Tenant": "load-test"}

Name the file in a scenario as `load.locustfile`, or give it to Locust itself, in a plan directory or with the
environment variable HARNESS_LOAD_PLAN naming one. There is one such user per load process, whatever number Locust is
asked for; its requests run side by side. Imported by Locust only, which patches the process. No request events are
fired: Locust's own statistics would time from the send, round to a millisecond, and cost as much as the request itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from gevent.event import Event
from locust import User, events, task
from locust.runners import MasterRunner, WorkerRunner

from harness.errors import LoadError
from harness.load.bodies import Bodies
from harness.load.collector import ASSIGN, GO, Collector
from harness.load.generator import Generator
from harness.load.load_plan import PARENT_VARIABLE, PLAN_VARIABLE, LoadPlan, Target
from harness.load.schedule import Segment
from harness.load.sender import Keep, Sender
from harness.tether import die_with_parent


class RankingUser(User):  # type: ignore[misc]
    """Runs this load process's share of the plan. The methods below are there to be overridden.

    They are called outside judged windows, so they may take their time, up to 30 s; what they raise ends the run.
    """

    abstract = True

    def headers(self, target: Target) -> Mapping[str, str]:  # noqa: ARG002
        """Headers that go with every request to `target`, beside those of its body and its credentials. Asked for once.

        Credentials belong in `target.headers_env`: an answer that repeats one of those is kept without it.
        """
        return {}

    def open_sender(self, target: Target, bodies: Bodies, timeout_s: float, keep: Keep) -> Any:
        """What sends the requests to `target`: `harness.load.sender.Sender`, or something with the same `send`,
        `close`, `last_error` and `n_out_of_step`. `send` is the hot path: it is called for every request, side by side,
        and gives the answer's status and the index that `keep` has for it."""
        return Sender(target, _with_headers(bodies, self.headers(target)), timeout_s, keep)

    def on_segment_start(self, segment: Segment) -> None:
        """Called before each segment, when all load processes are ready for it."""

    def on_segment_end(self, segment: Segment) -> None:
        """Called after each segment, when its last answer is in."""

    @task  # type: ignore[untyped-decorator]
    def run_plan(self) -> None:
        """Run the load test; the master ends the process when all are done."""
        self.environment.ranking_generator.run(self)
        Event().wait()


@events.init.add_listener  # type: ignore[untyped-decorator]
def _take_part(environment: Any, runner: Any, **_: Any) -> None:
    """Make this process a master, a worker, or both in one, as it was started."""
    folder = Path(os.environ.get(PLAN_VARIABLE) or Path(environment.parsed_locustfiles[0]).parent).resolve()
    plan = LoadPlan.read(folder)
    if not isinstance(runner, MasterRunner):
        generator = environment.ranking_generator = Generator(environment, folder, plan)
        runner.register_message(ASSIGN, generator.assign)
        runner.register_message(GO, generator.go)
        environment.events.report_to_master.add_listener(generator.report)
    if isinstance(runner, WorkerRunner):
        environment.events.quitting.add_listener(generator.send_report)
    else:
        options = environment.parsed_options
        options.num_users = options.spawn_rate = options.expect_workers  # one for each
        collector = Collector(environment, folder, plan)
        environment.events.test_start.add_listener(collector.begin)
        environment.events.worker_report.add_listener(collector.receive)
        if isinstance(runner, MasterRunner):
            environment.events.quitting.add_listener(collector.finish)
        else:
            environment.events.quitting.add_listener(collector.finish)
            environment.events.quitting.add_listener(generator.send_report)


def _with_headers(bodies: Bodies, headers: Mapping[str, str]) -> Bodies:
    """The same bodies with more header lines; LoadError where a header would be more than a line."""
    lines = ""
    for name, value in headers.items():
        if any(mark in name + value for mark in "\r\n\0") or ":" in name or not name.strip():
            raise LoadError(
                "a header must be one line of text", where=f"headers(): {name!r}", remedy="mend it in load.locustfile"
            )
        lines += f"{name}: {value}\r\n"
    return replace(bodies, headers=np.char.add(bodies.headers, lines)) if lines else bodies


_pid = os.getpid()


def _end_with_master() -> None:
    """In a worker that Locust has just forked: it must not outlive the master (what it has reported is kept)."""
    try:
        die_with_parent(_pid)
    except SystemExit:  # would be ignored here
        os._exit(1)


if PARENT_VARIABLE in os.environ:
    die_with_parent(int(os.environ[PARENT_VARIABLE]), signal.SIGTERM)  # which keeps the samples
os.register_at_fork(after_in_child=_end_with_master)
