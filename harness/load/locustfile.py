"""The Locust side: one user that runs the planned load test. Imported by Locust only, which patches the process.

The directory named by HARNESS_LOAD_PLAN holds the plan. No request events are fired: Locust's own statistics would
time from the send, round to a millisecond, and cost as much as the request itself.
"""

from __future__ import annotations

import os
import signal
import traceback
from pathlib import Path
from typing import Any

from locust import User, events, task

from harness.load.load_plan import PLAN_VARIABLE
from harness.load.load_test import LoadTest
from harness.tether import die_with_parent

load_test = LoadTest(Path(os.environ[PLAN_VARIABLE]))
die_with_parent(load_test.plan.parent_pid, signal.SIGTERM)  # SIGTERM keeps the samples


class RankingUser(User):  # type: ignore[misc]
    """The one user: its requests run side by side, up to the cap."""

    fixed_count = 1

    @task  # type: ignore[untyped-decorator]
    def run_plan(self) -> None:
        """Run the load test, then end the process, whatever happened."""
        try:
            load_test.run()
        except Exception:
            traceback.print_exc()  # quitting ends this greenlet too, before Locust could report what it raised
            self.environment.process_exit_code = 1
            raise
        finally:
            self.environment.runner.quit()


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def keep(**_: Any) -> None:
    """Locust ends, by itself or by a signal: keep what was measured."""
    load_test.write()
