"""A load test from outside: follow its Locust process, and read what that has written or left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from harness.errors import HarnessError, LoadError
from harness.events import LoadProgress, Progress
from harness.load.arrivals import Share
from harness.load.bodies import open_bodies
from harness.load.journal import ROW_JOURNAL, remove_journal, write_samples
from harness.load.load_plan import ANSWERS, HISTOGRAMS, INFO, PROGRESS, SAMPLES, SECONDS, LoadPlan
from harness.load.process import LocustProcess
from harness.records import LoadInfo
from harness.samples import Samples

Watch = Callable[[], None]

_POLL_S = 0.2
_SLACK_S = 60.0


def clear_results(out: Path) -> None:
    """Remove what an earlier run has left in the folder for results, or make that folder. Raises LoadError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in (SAMPLES, ANSWERS, HISTOGRAMS, SECONDS, INFO, PROGRESS):
            (out / name).unlink(missing_ok=True)
        remove_journal(out)
    except OSError as error:
        raise LoadError(
            f"can't write results: {error.strerror or error}", where=str(out), remedy="free some space, or set --out"
        ) from error


def longest_s(plan: LoadPlan, folder: Path) -> float:
    """Seconds after which a load test can't be running any more."""
    schedule = plan.schedule(folder, Share())
    return schedule.duration_s + plan.traffic.timeout_s * (len(schedule.segments) + len(plan.targets)) + _SLACK_S


def recover(plan: LoadPlan, folder: Path) -> None:
    """Make samples and answers of the journal of a load process that was killed before it could."""
    if (plan.out / ROW_JOURNAL).exists() and not (plan.out / SAMPLES).exists():
        segments = plan.schedule(folder, Share()).segments
        write_samples(plan.out, plan.names, segments, open_bodies(folder / plan.bodies(0)).n_candidates)


def follow(process: LocustProcess, events: Path, limit_s: float, progress: Progress, watch: Watch) -> None:
    """Until the process has ended, pass its progress on and let `watch` look."""
    end_s, offset = time.monotonic() + limit_s, 0
    running = True
    while running:
        time.sleep(_POLL_S)
        running = process.exit_code is None
        watch()
        if events.exists():
            whole = events.read_bytes()[offset:].rpartition(b"\n")[0]
            for line in whole.decode().splitlines():
                progress(LoadProgress(**json.loads(line)))
            offset += len(whole) + 1 if whole else 0
        if running and time.monotonic() > end_s:
            raise LoadError(
                f"the load process did not end within {limit_s:.0f} s",
                where=str(process.log),
                remedy="look into that log, and run again on a quiet machine",
            )


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
    return LoadError(
        f"the load process {how}; {left}\n{process.last_words()}",
        where=str(process.log),
        remedy="look into that log for the reason; `harness doctor` tells whether memory or open files are short",
    )
