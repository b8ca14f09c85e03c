"""Resume: which scenarios are finished already, told from the run directories alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from harness.cache import key_of, package_versions
from harness.environment import PACKAGES, identity
from harness.errors import UsageError
from harness.pipeline.build import code_digest
from harness.pipeline.inputs import newest_s
from harness.pipeline.run_dir import RunDir
from harness.records import Facts, Report
from harness.scenario import Scenario, resolved


def finished(scenarios: Sequence[Scenario], out: Path) -> dict[str, tuple[RunDir, Report]]:
    """By name, the newest complete run of the same resolved scenario, from files unchanged since.

    It was made by the same code and versions of libraries, on this machine, as far as it tells. A run is complete if it
    was measured to its end and judged, whatever the verdict.
    """
    here = identity() | {"code": code_digest(["."]), "versions": package_versions(*PACKAGES)}
    found = {scenario.name: _newest(scenario, out, here) for scenario in scenarios}
    return {name: run for name, run in found.items() if run is not None}


def _newest(scenario: Scenario, out: Path, here: Facts) -> tuple[RunDir, Report] | None:
    changed_s = newest_s(scenario)
    for path in sorted(out.glob(f"{scenario.name}-*-{key_of(resolved(scenario))[:8]}*"), reverse=True):
        try:
            report = RunDir(path).report()
        except UsageError:  # it ended before it was judged
            continue
        run = report.measurements
        began_s = datetime.fromisoformat(run.created).timestamp()
        told = run.environment
        alike = "code" in told and all(told.get(key, fact) == fact for key, fact in here.items())
        if run.complete and alike and changed_s < began_s:
            return RunDir(path), report
    return None
