"""Several scenarios, one after the other: one that fails does not keep the others from running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.events import Progress, ScenarioDone, SuiteStarted
from harness.judge.disturbances import disturbed_by
from harness.pipeline import run
from harness.pipeline.plan import plans_of
from harness.pipeline.resume import finished
from harness.pipeline.run_dir import RunDir
from harness.pipeline.state import Settings
from harness.records import Report
from harness.scenario import Scenario


@dataclass(frozen=True)
class Ran:
    """The runs that came to an end, in order, and what kept the others from it, by scenario."""

    done: tuple[tuple[RunDir, Report], ...]
    failures: dict[str, HarnessError]


def run_several(
    scenarios: Sequence[Scenario], settings: Settings, progress: Progress, *, resume: bool = False, attempts: int = 1
) -> Ran:
    """Run all scenarios; with `resume`, all but those that `settings.out` has a finished run of, whose report stands.

    What only a disturbed machine made INVALID is run again, `attempts` times in all at most; the last counts, and the
    others stay in `settings.out`. The error of a scenario that is alone is raised.
    """
    before = finished(scenarios, settings.out) if resume else {}
    if len(scenarios) > 1:
        ahead = plans_of([s for s in scenarios if s.name not in before], settings.cache)
        progress(SuiteStarted(ahead, tuple(before)))
    done: list[tuple[RunDir, Report]] = []
    failures: dict[str, HarnessError] = {}
    for scenario in scenarios:
        if scenario.name in before:
            run_dir, report = before[scenario.name]
            progress(ScenarioDone(scenario.name, report.verdict.status.value, run_dir.path.name, reused=True))
            done.append((run_dir, report))
            continue
        try:
            done.append(_undisturbed(scenario, settings, progress, attempts))
        except HarnessError as error:
            if len(scenarios) == 1:
                raise
            failures[scenario.name] = error
            progress(f"failed: {error}")
    return Ran(tuple(done), failures)


def _undisturbed(scenario: Scenario, settings: Settings, progress: Progress, attempts: int) -> tuple[RunDir, Report]:
    for attempt in range(2, attempts + 1):
        run_dir, report = run(scenario, settings, progress)
        reasons = disturbed_by(report.verdict)
        if not reasons:
            return run_dir, report
        progress(f"{scenario.name}: INVALID by {', '.join(reasons)}; attempt {attempt} of {attempts}")
    return run(scenario, settings, progress)
