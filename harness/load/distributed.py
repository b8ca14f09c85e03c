"""Run a plan directory as it lies there, on this machine alone or as one of several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from harness.access import check_access
from harness.errors import LoadError, UsageError
from harness.events import Progress
from harness.load.load_plan import LOG, PLAN, PROGRESS, LoadPlan
from harness.load.process import CONNECT_S, MASTER, LocustProcess
from harness.load.running import clear_results, follow, longest_s, read_results, recover
from harness.records import LoadInfo
from harness.samples import Samples

EXPORTED_LOCUSTFILE = "locustfile.py"


def run_plan(folder: Path, role: Sequence[str], progress: Progress) -> tuple[Samples, LoadInfo, Path]:
    """Run the load test of a plan directory as its master, or alone (no role): samples, info, and where they lie.

    Raises UsageError where there is no plan, TargetError where a target may not be asked or a credential is missing
    (a master asks none), LoadError where the load process died.
    """
    plan = _read(folder)
    if MASTER not in role:
        _check(plan)
    clear_results(plan.out)
    process = LocustProcess(folder.resolve(), plan.out / LOG, (), role, _locustfile(folder))
    try:
        follow(process, plan.out / PROGRESS, CONNECT_S + longest_s(plan, folder), progress, lambda: None)
    finally:
        process.stop()
        recover(plan, folder)
    (plan.out / PROGRESS).unlink(missing_ok=True)
    samples, info = read_results(plan.out, process)
    return samples, info, plan.out


def run_worker(folder: Path, role: Sequence[str]) -> None:
    """Take a worker's part in the load test of a plan directory until its master has ended it.

    Raises UsageError and TargetError as `run_plan` does, and LoadError.
    """
    plan = _read(folder)
    _check(plan)
    plan.out.mkdir(parents=True, exist_ok=True)
    log = plan.out / f"worker-{os.getpid()}.log"
    process = LocustProcess(folder.resolve(), log, (), role, _locustfile(folder))
    try:
        follow(process, log.with_suffix(".none"), 2 * CONNECT_S + longest_s(plan, folder), lambda _: None, lambda: None)
    finally:
        process.stop()
    if process.exit_code != 0:
        raise LoadError(
            f"the worker ended with exit code {process.exit_code}\n{process.last_words()}",
            where=str(log),
            remedy="check that the master runs, and is reached at --master-host and --master-port",
        )


def _read(folder: Path) -> LoadPlan:
    try:
        return LoadPlan.read(folder)
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"no readable {PLAN}", where=str(folder), remedy="make one with `harness load export SCENARIO DIR`"
        ) from error


def _check(plan: LoadPlan) -> None:
    for target in plan.targets:
        check_access(target.url, target.access, os.environ)


def _locustfile(folder: Path) -> Path:
    return (folder / EXPORTED_LOCUSTFILE).resolve()
