"""What comes of running: reports, as a block for notebooks and as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api import block, frames
from harness.errors import HarnessError
from harness.pipeline.run_dir import RunDir
from harness.records import Report

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class FinishedRun:
    """One run: `path` of its directory and the `report` that was made of it.

    Frames are made when they are first asked for. Their columns carry their units in their names, as records do; NaN is
    what was not measured. Latency runs from the time a request was due.
    """

    path: Path
    report: Report

    @property
    def verdict(self) -> str:
        """PASS, FAIL, INCONCLUSIVE or INVALID."""
        return self.report.verdict.status.value

    @cached_property
    def objectives(self) -> pandas.DataFrame:
        """One row per objective of the SLA, by its name, with the columns of `harness.records.ObjectiveResult`.

        measured, limit, lower and upper (95 % bounds) and headroom are in `unit`.
        """
        return frames.objectives(self.report)

    @cached_property
    def ledger(self) -> pandas.DataFrame:
        """One row per step of the recipe and, behind it, one per control, with `is_control`.

        NDCG and what it lost against the teacher with one-sided 95 % bounds (paired per query group), trees, nodes,
        disk_bytes, packed_bytes, engine_us (median) and engine_us_p99 of one candidate list, memory_bytes, build_s.
        No rows for a target, which is not built here.
        """
        return frames.ledger(self.report)

    @cached_property
    def samples(self) -> pandas.DataFrame:
        """One row per planned request, warm-up included, in the order of `harness.samples.Samples`.

        due_s, sent_s and done_s count from the start of the request's segment; latency_ms is infinite for failed and
        unsent requests. HarnessError where the run has no readable samples.
        """
        found = RunDir(self.path).samples()
        if found is None:
            raise HarnessError(
                "no samples: the run ended before its load test", where=str(self.path), remedy="run the scenario again"
            )
        return found.frame()

    def _repr_html_(self) -> str:
        return block.of_run(self.report)


@dataclass(frozen=True)
class FinishedSuite:
    """Several runs, in the order of their scenarios, and what kept others from their end, by the scenario's name."""

    runs: tuple[FinishedRun, ...]
    failures: Mapping[str, HarnessError]

    @cached_property
    def frame(self) -> pandas.DataFrame:
        """One row per run, by its name: `verdict`, `path`, and the figures that runs are compared by.

        p50_ms, p99_ms and error_rate of what is judged; ndcg, ndcg_drop and ndcg_drop_upper (one-sided 95 % bound),
        disk_bytes and engine_us (median of one candidate list) of the last row of the ledger.
        """
        return frames.suite([(run.path, run.report) for run in self.runs])

    def _repr_html_(self) -> str:
        return block.of_suite([run.report for run in self.runs], {n: str(e) for n, e in self.failures.items()})
