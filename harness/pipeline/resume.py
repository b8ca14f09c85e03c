"""Resume: which scenarios are finished already, told from the run directories alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from harness.cache import key_of
from harness.errors import UsageError
from harness.pipeline.build import code_digest
from harness.pipeline.inputs import newest_s
from harness.pipeline.run_dir import RunDir
from harness.records import Report
from harness.scenario import Scenario, resolved


def finished(scenarios: Sequence[Scenario], out: Path) -> dict[str, tuple[RunDir, Report]]:
    """By name, the newest complete run of the same resolved scenario by the same code, from files unchanged since.

    A run is complete if it was measured to its end and judged, whatever the verdict.
    """
    code = code_digest(["."])
    found = {scenario.name: _newest(scenario, out, code) for scenario in scenarios}
    return {name: run for name, run in found.items() if run is not None}


def _newest(scenario: Scenario, out: Path, code: str) -> tuple[RunDir, Report] | None:
    changed_s = newest_s(scenario)
    for path in sorted(out.glob(f"{scenario.name}-*-{key_of(resolved(scenario))[:8]}*"), reverse=True):
        try:
            report = RunDir(path).report()
        except UsageError:  # it ended before it was judged
            continue
        run = report.measurements
        began_s = datetime.fromisoformat(run.created).timestamp()
        if run.complete and run.environment.get("code") == code and changed_s < began_s:
            return RunDir(path), report
    return None
