"""Run a load test: plan and encode, hand over to Locust in its own process, watch it, read what it measured."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.access import check_access
from harness.errors import LoadError
from harness.events import Progress
from harness.load.bodies import write_bodies
from harness.load.candidates import candidate_lists
from harness.load.load_plan import LOG, PROGRESS, TRACE, LoadPlan, Target
from harness.load.process import LocustProcess, forked
from harness.load.running import Watch, clear_results, follow, longest_s, read_results, recover
from harness.load.trace import read_trace
from harness.ranking_data import RankingData
from harness.records import LoadInfo
from harness.samples import Samples
from harness.scenario.traffic import Load, Traffic

__all__ = ["Target", "run_load"]

DEFAULT_LOAD = Load()
_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----\n?", re.DOTALL
)


def run_load(
    targets: Sequence[Target],
    data: RankingData,
    traffic: Traffic,
    out: Path,
    cpus: Sequence[int],
    progress: Progress,
    watch: Watch = lambda: None,
    load: Load = DEFAULT_LOAD,
    first_round: int = 0,
) -> tuple[Samples, LoadInfo]:
    """Load-test `targets` with candidates of `data` from the cores `cpus` (none: unpinned).

    Rounds are counted from `first_round`, so that a further call continues the traffic of the ones before. Writes
    samples.npz, answers.npz, histograms.json, seconds.json, load.json and locust.log into `out`. `watch` is called
    five times a second and may raise to end the run. TargetError where a URL may not be asked or a credential is
    missing; LoadError where the load process died (with the end of its log), or where it did not end in time. Whatever
    ends the run early, samples.npz and answers.npz keep what was measured, up to the last few seconds where the process
    was killed.
    """
    for target in targets:
        check_access(target.url, target.access, os.environ)
    folder, locustfile = out / "plan", own_locustfile(load)
    try:
        plan = LoadPlan(
            targets=tuple(targets),
            traffic=traffic,
            n_bodies=traffic.n_bodies,
            out=out.resolve(),
            first_round=first_round,
            cpus=tuple(cpus),
        )
        shutil.rmtree(folder, ignore_errors=True)
        clear_results(out)
        write_plan(plan, data, folder)
        plan.schedules(folder, load.processes)  # or say now what is wrong with them
        process = LocustProcess(folder.resolve(), out / LOG, cpus, forked(load.processes), locustfile)
        try:
            follow(process, out / PROGRESS, longest_s(plan, folder), progress, watch)
        finally:
            process.stop()
            recover(plan, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            (out / PROGRESS).unlink()
    return read_results(out, process)


def write_plan(plan: LoadPlan, data: RankingData, folder: Path) -> None:
    """Write a plan directory that can be moved: the plan and all it names, and each target's bodies. Raises LoadError.

    It holds the names of the variables that hold credentials, and no credential.
    """
    trace, lists = read_trace(plan.traffic), candidate_lists(data, plan.traffic)
    traffic = (
        plan.traffic if plan.traffic.arrivals is None else plan.traffic.model_copy(update={"arrivals": Path(TRACE)})
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / TRACE, trace)
        for bodies, target in {plan.bodies(number): target for number, target in enumerate(plan.targets)}.items():
            write_bodies(lists, data.feature_names, target.adapter, folder / bodies)
        targets = tuple(_with_authority(target, folder) for target in plan.targets)
        plan.model_copy(update={"targets": targets, "traffic": traffic}).write(folder)
    except OSError as error:
        raise LoadError(
            f"can't write the plan: {error.strerror or error}",
            where=str(folder),
            remedy="free some space, or choose another folder",
        ) from error


def own_locustfile(load: Load) -> Path | None:
    """The user's own locustfile, or None; LoadError where there is no such file."""
    if load.locustfile is None:
        return None
    path = load.locustfile.expanduser().resolve()
    if not path.is_file():
        raise LoadError("no such file", where=str(path), remedy="correct load.locustfile")
    return path


def _with_authority(target: Target, folder: Path) -> Target:
    """The target with the certificates of its `tls_ca`, and no key that may lie beside them, copied into `folder`."""
    if target.access.tls_ca is None:
        return target
    name = f"{target.name}-authority.pem"
    certificates = _CERTIFICATE.findall(Path(target.access.tls_ca).read_bytes())
    (folder / name).write_bytes(b"".join(certificates))
    return replace(target, access=target.access.model_copy(update={"tls_ca": name}))
