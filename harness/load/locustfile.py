"""The Locust side: one user that runs the planned load test. Imported by Locust only, which patches the process.

The directory named by HARNESS_LOAD_PLAN holds the plan. No request events are fired: Locust's own statistics would
time from the send, round to a millisecond, and cost as much as the request itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from geventhttpclient.url import URL
from locust import FastHttpUser, events, task

from harness.load.die_with_parent import die_with_parent
from harness.load.load_plan import PLAN_VARIABLE
from harness.load.load_test import LoadTest

load_test = LoadTest(Path(os.environ[PLAN_VARIABLE]))
die_with_parent(load_test.plan.parent_pid)


class RankingUser(FastHttpUser):  # type: ignore[misc]
    """The one user: its requests run side by side, up to the cap."""

    fixed_count = 1
    host = load_test.plan.targets[0].url
    concurrency = load_test.plan.traffic.max_in_flight
    network_timeout = load_test.plan.traffic.timeout_s
    connection_timeout = load_test.plan.traffic.timeout_s
    max_retries = 0
    max_redirects = 0

    @task  # type: ignore[untyped-decorator]
    def run_plan(self) -> None:
        """Run the load test, then end the process, whatever happened."""
        clients = [self.client.client.clientpool.get_client(URL(target.url)) for target in load_test.plan.targets]
        try:
            load_test.run([client._connection_pool for client in clients])
        finally:
            self.environment.runner.quit()


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def keep(**_: Any) -> None:
    """Locust ends, by itself or by a signal: keep what was measured."""
    load_test.write()
