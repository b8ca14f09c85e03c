"""Run a load test: plan and encode, hand over to Locust in its own process, watch it, read what it measured."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from harness.access import check_access
from harness.errors import HarnessError, LoadError
from harness.load.bodies import write_bodies
from harness.load.candidates import candidate_lists
from harness.load.load_plan import ANSWERS, HISTOGRAMS, INFO, LOG, PROGRESS, SAMPLES, LoadPlan, Target
from harness.load.process import LocustProcess
from harness.ranking_data import RankingData
from harness.records import LoadInfo
from harness.samples import Samples
from harness.scenario.schema import Traffic

__all__ = ["Target", "run_load"]

Progress = Callable[[str], None]
Watch = Callable[[], None]

_POLL_S = 0.2
_SLACK_S = 60.0


def run_load(
    targets: Sequence[Target],
    data: RankingData,
    traffic: Traffic,
    out: Path,
    cpus: Sequence[int],
    progress: Progress,
    watch: Watch = lambda: None,
) -> tuple[Samples, LoadInfo]:
    """Load-test `targets` with candidates of `data` from the cores `cpus` (none: unpinned).

    Writes samples.npz, answers.npz, histograms.json, load.json and locust.log into `out`. `watch` is called five times
    a second and may raise to end the run. TargetError where a URL may not be asked or a credential is missing;
    LoadError where the load process died (with the end of its log), or where it did not end in time. Whatever ends the
    run early, samples.npz keeps what was measured.
    """
    for target in targets:
        check_access(target.url, target.access, os.environ)
    folder = out / "plan"
    try:
        plan = _prepare(targets, data, traffic, out, folder)
        schedule = plan.schedule()
        longest_s = schedule.duration_s + traffic.timeout_s * (len(schedule.segments) + len(targets)) + _SLACK_S
        process = LocustProcess(folder.resolve(), out / LOG, cpus)
        try:
            _wait(process, folder / PROGRESS, longest_s, progress, watch)
        finally:
            process.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _read(out, process)


def _prepare(targets: Sequence[Target], data: RankingData, traffic: Traffic, out: Path, folder: Path) -> LoadPlan:
    """Write the plan and the encoded bodies, after removing what an earlier run has left."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in (SAMPLES, HISTOGRAMS, INFO, ANSWERS):
            (out / name).unlink(missing_ok=True)
        lists = candidate_lists(data, traffic)
        plan = LoadPlan(
            targets=tuple(targets), traffic=traffic, n_bodies=len(lists), out=out.resolve(), parent_pid=os.getpid()
        )
        for bodies, target in {plan.bodies(place): target for place, target in enumerate(targets)}.items():
            write_bodies(lists, data.feature_names, target.adapter, folder / bodies)
        plan.write(folder)
    except OSError as error:
        raise LoadError(
            f"can't write the plan: {error.strerror or error}", where=str(out), remedy="free some space, or set --out"
        ) from error
    return plan


def _wait(process: LocustProcess, lines: Path, longest_s: float, progress: Progress, watch: Watch) -> None:
    """Until the process has ended, pass its progress on and let `watch` look."""
    end_s, offset = time.monotonic() + longest_s, 0
    running = True
    while running:
        time.sleep(_POLL_S)
        running = process.exit_code is None
        watch()
        if lines.exists():
            whole = lines.read_bytes()[offset:].rpartition(b"\n")[0]
            for line in whole.decode().splitlines():
                progress(line)
            offset += len(whole) + 1 if whole else 0
        if running and time.monotonic() > end_s:
            raise LoadError(f"the load process did not end within {longest_s:.0f} s", where=str(process.log))


def _read(out: Path, process: LocustProcess) -> tuple[Samples, LoadInfo]:
    """What the load process wrote; LoadError where it died before it could, or failed."""
    try:
        info = LoadInfo.model_validate_json((out / INFO).read_bytes())
        samples = Samples.load(out / SAMPLES)
    except (OSError, ValidationError, HarnessError) as error:
        raise _died(process, "it left no samples") from error
    if process.exit_code != 0:
        raise _died(process, f"what it had measured is in {SAMPLES}")
    return samples, info


def _died(process: LocustProcess, left: str) -> LoadError:
    code = process.exit_code or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return LoadError(f"the load process {how}; {left}\n{process.last_words()}", where=str(process.log))
