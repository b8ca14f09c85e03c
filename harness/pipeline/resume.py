"""Resume: which scenarios are finished already, told from the run directories alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from harness.cache import key_of
from harness.errors import UsageError
from harness.pipeline.build import code_digest
from harness.pipeline.inputs import newest_s
from harness.pipeline.run_dir import RunDir
from harness.records import Report
from harness.scenario import Scenario, resolved


def finished(scenario: Scenario, out: Path) -> tuple[RunDir, Report] | None:
    """The newest complete run of the same resolved scenario by the same code, from files that have not changed since.

    A run is complete if it was measured to its end and judged, whatever the verdict.
    """
    code, changed_s = code_digest(["."]), newest_s(scenario)
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
