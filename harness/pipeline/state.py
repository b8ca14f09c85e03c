"""The state of a run under way: what is known so far, written out whatever happens next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from harness import __version__
from harness.cache import Cache
from harness.environment import describe
from harness.events import stage
from harness.pipeline.build import code_digest
from harness.pipeline.calibrations import newest
from harness.pipeline.external import findings
from harness.pipeline.recorder import Recorder
from harness.pipeline.run_dir import RunDir
from harness.placement import Placement, available_cpus, place
from harness.protocols import Progress
from harness.records import Finding, Measurements
from harness.scenario import Scenario, resolved


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: where results and the cache are, and the command line to repeat it."""

    out: Path
    cache: Cache
    command: str = ""


@dataclass
class RunState:
    """A run directory and what has been learnt for it; `learn` saves at once."""

    scenario: Scenario
    settings: Settings
    run_dir: RunDir
    placement: Placement
    progress: Progress
    measured: Measurements
    stage_s: dict[str, float] = field(default_factory=dict)

    @classmethod
    def begin(cls, scenario: Scenario, settings: Settings, progress: Progress, kind: str = "") -> Self:
        """A new run directory and what is known before anything is measured; `kind` goes into its name."""
        run_dir = RunDir.create(settings.out, scenario, kind)
        placement, findings = _placed(scenario)
        measured = Measurements(
            tool_version=__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=settings.command,
            scenario=resolved(scenario),
            environment=describe()
            | {"generator_cpus": placement.generator, "server_cpus": placement.server, "code": code_digest(["."])},
            ndcg=scenario.sla.ndcg,
            calibration=newest(settings.cache.root),
            findings=findings,
        )
        return cls(scenario, settings, run_dir, placement, Recorder(run_dir.path, progress), measured)

    def learn(self, **known: object) -> None:
        """Add to the measurements and save them."""
        self.measured = self.measured.model_copy(update=known)
        self.run_dir.save_measurements(self.measured)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Tell of a stage, and time it."""
        with self.timed(name), stage(self.progress, name):
            yield

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time a stage that tells of itself, also one that fails."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_s[name] = round(time.perf_counter() - started, 3)

    def fail(self, error: BaseException) -> None:
        """Note why there is no more."""
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
        self.learn(failure=why, stage_s=self.stage_s)

    @property
    def load_complete(self) -> bool:
        """Whether every load test so far ran to its end; False before the first."""
        loads = [load for load in (self.measured.load, self.measured.min_qps_load) if load is not None]
        return bool(loads) and all(load.complete for load in loads)

    @property
    def compiled(self) -> Path:
        """Where engines keep compiled code; inside the run directory where nothing may be reused."""
        cache = self.settings.cache
        return (cache.root if cache.enabled else self.run_dir.path) / "compiled"


def _placed(scenario: Scenario) -> tuple[Placement, tuple[Finding, ...]]:
    """The cores of both sides; a target's command gets all that the load generator leaves."""
    processes = scenario.load.processes
    if scenario.target is None:
        return place(scenario.serve.workers, processes=processes)
    placement, found = place(max(len(available_cpus()) - processes, 1), processes=processes)
    return placement, (*found, *findings(scenario.target))
