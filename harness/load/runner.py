"""Run a load test: plan and encode, hand over to Locust in its own process, watch it, read what it measured."""

from __future__ import annotations

import ipaddress
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from harness.errors import HarnessError, LoadError
from harness.load.bodies import write_bodies
from harness.load.candidates import candidate_lists
from harness.load.load_plan import HISTOGRAMS, INFO, LOG, PROGRESS, SAMPLES, LoadPlan, Target
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

    Writes samples.npz, histograms.json, load.json and locust.log into `out`. `watch` is called five times a second and
    may raise to end the run. LoadError where a URL is not on this machine, where the load process died (with the end of
    its log), or where it did not end in time. Whatever ends the run early, samples.npz keeps what was measured.
    """
    for target in targets:
        _check_url(target)
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
        for name in (SAMPLES, HISTOGRAMS, INFO):
            (out / name).unlink(missing_ok=True)
        n_bodies = write_bodies(candidate_lists(data, traffic), traffic.encoding, folder)
        plan = LoadPlan(
            targets=tuple(targets), traffic=traffic, n_bodies=n_bodies, out=out.resolve(), parent_pid=os.getpid()
        )
        plan.write(folder)
    except OSError as error:
        raise LoadError(
            f"can't write the plan: {error.strerror or error}", where=str(out), remedy="free some space, or set --out"
        ) from error
    return plan


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
