"""Compare finished runs from their files; nothing is measured."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.history.likeness import differences
from harness.judge.finished import FinishedRun, judge_finished
from harness.pipeline.run_dir import RunDir
from harness.records import SUBJECTS
from harness.studies import Comparison


def compare_finished(a: Path, b: Path, min_effect: float, *, force: bool) -> Comparison:
    """Run A against run B. UsageError where they are of different scenarios or machines, unless by `force`."""
    before, after = finished_run(a), finished_run(b)
    apart = differences(before.measurements, after.measurements)
    if apart and not force:
        listed = "".join(f"\n  {what}" for what in apart)
        raise UsageError(
            f"the runs are not of one scenario on one machine:{listed}",
            where=f"{a} {b}",
            remedy="measure both here with `harness compare A B` (without --finished), or add --force, which the "
            "result will say",
        )
    return judge_finished([before], after, min_effect, apart)


def finished_run(path: Path) -> FinishedRun:
    """The run of a directory; UsageError where it has not ended, or never got as far as a load test."""
    run_dir = RunDir(path)
    measured, samples = run_dir.measurements(), run_dir.samples()
    if samples is None or not any(target in samples.targets for target in SUBJECTS):
        raise UsageError(
            "holds no finished load test of a run",
            where=str(path),
            remedy="name a folder that `harness run` has written, such as results/quickstart-...",
        )
    if not measured.complete:
        raise UsageError(
            f"the run did not finish: {measured.failure or 'interrupted'}",
            where=str(path),
            remedy="run its scenario again; finished stages are reused from the cache",
        )
    return FinishedRun(path.resolve().name, run_dir.scenario(), measured, samples)
