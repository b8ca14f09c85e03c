"""Run a load test: plan and encode, hand over to Locust in its own process, watch it, read what it measured."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import LoadError
from harness.load.bodies import write_bodies
from harness.load.candidates import candidate_lists
from harness.load.load_plan import LOG, PROGRESS, LoadPlan, Target
from harness.load.process import LocustProcess, forked
from harness.load.running import Progress, Watch, clear_results, follow, longest_s, read_results, recover
from harness.load.trace import read_trace
from harness.ranking_data import RankingData
from harness.records import LoadInfo
from harness.samples import Samples
from harness.scenario.schema import Load, Traffic

__all__ = ["Target", "run_load"]

DEFAULT_LOAD = Load()


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
    samples.npz, histograms.json, seconds.json, load.json and locust.log into `out`. `watch` is called five times a
    second and may raise to end the run. LoadError where a URL is not on this machine, where the load process died (with
    the end of its log), or where it did not end in time. Whatever ends the run early, samples.npz keeps what was
    measured, up to the last few seconds where the process was killed.
    """
    for target in targets:
        _check_url(target)
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
    """Write a plan directory: the plan, the recorded arrivals and the encoded bodies. Raises LoadError."""
    trace = read_trace(plan.traffic)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bodies(candidate_lists(data, plan.traffic), plan.traffic.encoding, folder)
        plan.write(folder, trace)
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


def _check_url(target: Target) -> None:
    """LoadError unless the URL is plain HTTP on a loopback address."""
    remedy = "give http://127.0.0.1:PORT/v2/models/NAME/infer"
    try:
        parts = urlsplit(target.url)
        host, _ = parts.hostname or "", parts.port
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise LoadError(f"not a URL to test: {error}", where=f"{target.name} {target.url}", remedy=remedy) from error
    if parts.scheme != "http" or parts.username is not None or not loopback:
        where = f"{target.name} {target.url}"
        raise LoadError("only servers on this machine are load-tested", where=where, remedy=remedy)
