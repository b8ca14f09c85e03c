"""The history of a folder of results, and whether its newest runs have become worse than those before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import HarnessError, UsageError, did_you_mean
from harness.history.index import indexed
from harness.history.point import LATENCIES, MEASURES, Point
from harness.history.series import History, Series, series_of, worse
from harness.judge.finished import judge_finished
from harness.pipeline.finished import finished_run
from harness.records import VerdictStatus

N_BEFORE = 5
"""How many runs before the newest one it is compared with, at most."""


def history_of(root: Path, names: Sequence[str] = (), min_effect: float | None = None) -> History:
    """Index `root` and sort its runs into series, of `names` alone where some are given.

    With `min_effect` the newest run of each series is compared with those before it. UsageError where there is no such
    folder, or no such name.
    """
    if not root.is_dir():
        raise UsageError("no such folder", where=str(root), remedy="name the folder that holds run directories")
    found = indexed(root)
    known = {point.name for point in found.points}
    for name in names:
        if name not in known:
            raise UsageError(
                f"no run of a scenario {name!r}{did_you_mean(name, known)}",
                where=str(root),
                remedy="`harness history` alone shows all that there is",
            )
    series = series_of([point for point in found.points if not names or point.name in names])
    if min_effect is not None:
        series = tuple(_checked(root, one, min_effect) for one in series)
    return History(root=str(root), series=series, problems=found.problems, notes=found.notes)


def _checked(root: Path, series: Series, min_effect: float) -> Series:
    """The series with what became worse in its newest run: latencies by their samples, the rest by their bounds."""
    worse_ones = list(_worse_by_bounds(series.points, min_effect))
    runs = [point for point in series.points if point.kind == "run"]
    before = [point for point in runs[:-1] if point.status != VerdictStatus.INVALID][-N_BEFORE:]
    if not before:
        unsure = ("latency: every run before the newest is INVALID",) if len(runs) > 1 else ()
        return series.model_copy(update={"regressions": tuple(worse_ones), "undecided": unsure})
    try:
        found = judge_finished(
            [finished_run(root / point.run) for point in before], finished_run(root / runs[-1].run), min_effect
        )
    except HarnessError as error:
        why = f"{error.where}: {error.what}" if error.where else error.what
        return series.model_copy(update={"regressions": tuple(worse_ones), "undecided": (why,)})
    slower = [diff for diff in found.differences if diff.answer == "A faster"]
    worse_ones += [
        f"{diff.percentile} latency: {diff.ratio_lower:.3g} to {diff.ratio_upper:.3g} times that of the runs before"
        for diff in slower
    ]
    open_ones = tuple(f"{diff.percentile} latency" for diff in found.differences if diff.answer == "undecided")
    return series.model_copy(update={"comparison": found, "regressions": tuple(worse_ones), "undecided": open_ones})


def _worse_by_bounds(points: Sequence[Point], min_effect: float) -> Iterator[str]:
    for measure, about in MEASURES.items():
        if measure in LATENCIES:
            continue  # judged from their samples
        figures = [point.figure(measure) for point in points if point.figure(measure).known]
        if len(figures) > 1 and worse(measure, figures[-2], figures[-1], min_effect):
            yield f"{about.name}: {figures[-1].value:.4g}, {figures[-2].value:.4g} before"
