"""The harness in a notebook or script: what `harness run` does, with results as objects and data frames.

    import harness

    finished = harness.run("mine.yaml", overrides=["traffic.offered_qps=200"])
    finished                  # in a notebook: verdict, objectives, what compression bought
    finished.report           # everything, as records (`harness.records.Report`)
    finished.samples          # a pandas frame, one row per planned request

Nothing is printed; whatever goes wrong on a known path is a HarnessError. A run blocks until it has ended, also where
an event loop runs around it, and starts its servers and load processes from the calling thread.
"""

from harness.api.finished import FinishedRun, FinishedSuite
from harness.api.running import load_report, run, run_suite
from harness.errors import HarnessError

__all__ = ["FinishedRun", "FinishedSuite", "HarnessError", "load_report", "run", "run_suite"]
