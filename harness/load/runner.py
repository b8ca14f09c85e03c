"""Run a load test: plan and encode, hand over to Locust in its own process, watch it, read what it measured."""

from __future__ import annotations

import ipaddress
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from harness.errors import HarnessError, LoadError
from harness.load.arrivals import Share
from harness.load.bodies import open_bodies, write_bodies
from harness.load.candidates import candidate_lists
from harness.load.journal import JOURNAL, read_journal, to_samples
from harness.load.load_plan import HISTOGRAMS, INFO, LOG, PROGRESS, SAMPLES, SECONDS, LoadPlan, Target
from harness.load.process import LocustProcess, forked
from harness.load.schedule import Schedule
from harness.load.trace import read_trace
from harness.ranking_data import RankingData
from harness.records import LoadInfo
from harness.samples import Samples
from harness.scenario.schema import Load, Traffic

__all__ = ["Target", "run_load"]

Progress = Callable[[str], None]
Watch = Callable[[], None]

DEFAULT_LOAD = Load()
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
    folder, locustfile = out / "plan", _own(load)
    try:
        plan = LoadPlan(
            targets=tuple(targets),
            traffic=traffic,
            n_bodies=traffic.n_bodies,
            out=out.resolve(),
            first_round=first_round,
            cpus=tuple(cpus),
        )
        _clear(out, folder)
        write_plan(plan, data, folder)
        longest_s = longest(plan, plan.schedules(folder, load.processes)[0])
        process = LocustProcess(folder.resolve(), out / LOG, cpus, forked(load.processes), locustfile)
        try:
            follow(process, out / PROGRESS, longest_s, progress, watch)
        finally:
            process.stop()
            _recover(plan, folder)
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


def longest(plan: LoadPlan, schedule: Schedule) -> float:
    """Seconds after which a load test can't be running any more."""
    return schedule.duration_s + plan.traffic.timeout_s * (len(schedule.segments) + len(plan.targets)) + _SLACK_S


def _clear(out: Path, folder: Path) -> None:
    """Remove what an earlier run has left."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        out.mkdir(parents=True, exist_ok=True)
        for name in (SAMPLES, HISTOGRAMS, SECONDS, INFO, JOURNAL, PROGRESS):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise LoadError(
            f"can't write the plan: {error.strerror or error}", where=str(out), remedy="free some space, or set --out"
        ) from error


def _own(load: Load) -> Path | None:
    """The user's own locustfile, or None; LoadError where there is no such file."""
    if load.locustfile is None:
        return None
    path = load.locustfile.expanduser().resolve()
    if not path.is_file():
        raise LoadError("no such file", where=str(path), remedy="correct load.locustfile")
    return path


def _recover(plan: LoadPlan, folder: Path) -> None:
    """Make samples of the journal of a load process that was killed before it could."""
    if (plan.out / JOURNAL).exists() and not (plan.out / SAMPLES).exists():
        segments = plan.schedule(folder, Share()).segments
        names = tuple(target.name for target in plan.targets)
        to_samples(names, segments, read_journal(plan.out), open_bodies(folder).n_candidates).save(plan.out / SAMPLES)
        (plan.out / JOURNAL).unlink()


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


def follow(process: LocustProcess, lines: Path, longest_s: float, progress: Progress, watch: Watch) -> None:
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


def read_results(out: Path, process: LocustProcess) -> tuple[Samples, LoadInfo]:
    """What the load process wrote; LoadError where it died before it could, or failed."""
    try:
        info = LoadInfo.model_validate_json((out / INFO).read_bytes())
        samples = Samples.load(out / SAMPLES)
    except (OSError, ValidationError, HarnessError) as error:
        kept = f"what it had measured until then is in {SAMPLES}" if (out / SAMPLES).is_file() else "it left no samples"
        raise _died(process, kept) from error
    if process.exit_code != 0:
        raise _died(process, f"what it had measured is in {SAMPLES}")
    return samples, info


def _died(process: LocustProcess, left: str) -> LoadError:
    code = process.exit_code or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return LoadError(f"the load process {how}; {left}\n{process.last_words()}", where=str(process.log))
