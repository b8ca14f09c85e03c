"""Judge a finished study again from its files; measures nothing."""

from __future__ import annotations

from harness.pipeline.capacity import judge_capacity_again
from harness.pipeline.compare import judge_comparison_again
from harness.pipeline.run_dir import RunDir
from harness.pipeline.studies import publish_study
from harness.studies import Bench, Capacity, Study


def judge_study(run_dir: RunDir, known: Study) -> Study:
    """The study anew, with its reports written."""
    return publish_study(run_dir, judged_study(run_dir, known))


def judged_study(run_dir: RunDir, known: Study) -> Study:
    """The study anew; of a bench there is nothing to judge. Writes nothing."""
    if isinstance(known, Bench):
        return known
    if isinstance(known, Capacity):
        return judge_capacity_again(run_dir, known)
    return judge_comparison_again(run_dir, known)
