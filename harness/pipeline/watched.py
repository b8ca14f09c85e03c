"""A load test with the machine watched around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.load.runner import DEFAULT_LOAD, Target, run_load
from harness.placement import Placement
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import LoadInfo
from harness.samples import Samples
from harness.scenario import Load, Traffic
from harness.watch.monitor import Monitor


def run_watched(
    targets: Sequence[Target],
    pids: Mapping[str, Sequence[int]],
    data: RankingData,
    traffic: Traffic,
    out: Path,
    placement: Placement,
    progress: Progress,
    check: Callable[[], None] = lambda: None,
    load: Load = DEFAULT_LOAD,
    first_round: int = 0,
) -> tuple[Samples, LoadInfo]:
    """`run_load` with the machine's log in its LoadInfo. `pids` are the processes of each target's server."""
    monitor = Monitor(pids, placement.generator, placement.server)

    def watch() -> None:
        monitor.look()
        check()

    samples, info = run_load(targets, data, traffic, out, placement.generator, progress, watch, load, first_round)
    return samples, info.model_copy(update={"machine": monitor.log()})
