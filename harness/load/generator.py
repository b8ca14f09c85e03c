"""A worker of a load test: takes its share of the traffic from the master, and runs it once."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import AsyncResult
from locust.runners import LocalRunner

from harness.load.arrivals import Share
from harness.load.load_plan import LoadPlan
from harness.load.load_test import LoadTest
from harness.load.reports import KEY

if TYPE_CHECKING:
    from harness.load.user import RankingUser

_REPORT_S = 1.0


class Generator:
    """State of a worker: nothing, until the master has assigned its share."""

    def __init__(self, environment: Any, folder: Path, plan: LoadPlan) -> None:
        self._environment, self._folder, self._plan = environment, folder, plan
        self._assigned = AsyncResult()
        self._load_test: LoadTest | None = None
        self._taken = False

    def assign(self, msg: Any, **_: Any) -> None:
        """The master's message with this worker's share."""
        share = Share(msg.data["worker"], msg.data["n_workers"])
        self._load_test = LoadTest(self._folder, self._plan, share, self.send_report)
        self._assigned.set(self._load_test)

    def go(self, msg: Any, **_: Any) -> None:
        """The master's message that a segment starts."""
        if self._load_test is not None:
            self._load_test.go(msg.data["segment"])

    def run(self, user: RankingUser) -> None:
        """Start the load test on behalf of the first user of this worker; Locust may move users, but it runs on."""
        if not self._taken:
            self._taken = True
            gevent.spawn(self._run, user)

    def report(self, data: dict[str, Any], **_: Any) -> None:
        """Locust puts a report together: add what there is."""
        if self._load_test is not None:
            data[KEY] = self._load_test.report().to_data()

    def send_report(self, **_: Any) -> None:
        """Send a report now, through Locust's own events."""
        runner, events = self._environment.runner, self._environment.events
        data: dict[str, Any] = {}
        events.report_to_master.fire(client_id=runner.client_id, data=data)
        if isinstance(runner, LocalRunner):
            events.worker_report.fire(client_id=runner.client_id, data=data)
        else:
            runner.send_message("stats", data)

    def _run(self, user: RankingUser) -> None:
        load_test = self._assigned.get()
        if isinstance(self._environment.runner, LocalRunner):
            gevent.spawn(self._report_regularly)  # which a worker's runner does by itself
        try:
            load_test.run(user)
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            self._environment.process_exit_code = 1
            load_test.failure = f"{type(error).__name__}: {error}"
            self.send_report()

    def _report_regularly(self) -> None:
        while True:
            gevent.sleep(_REPORT_S)
            self.send_report()
