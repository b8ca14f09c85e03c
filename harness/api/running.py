"""Running scenarios from Python, and reading finished runs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.api.finished import FinishedRun, FinishedSuite
from harness.cache import Cache, default_cache_dir
from harness.events import Event, Progress
from harness.pipeline import RunDir, Settings, save_suite
from harness.pipeline.several import run_several
from harness.scenario import load, load_one

Paths = str | Path | Sequence[str | Path]


def run(
    scenario: str | Path,
    *,
    overrides: Sequence[str] = (),
    out: str | Path = "results",
    cache: bool = True,
    attempts: int = 1,
    progress: Progress | None = None,
) -> FinishedRun:
    """Run the one scenario of a file: build, serve, load-test, judge, report.

    overrides: `key=value` as for `harness run --set`, such as `traffic.offered_qps=200`; out: folder in which the run
    directory is made; cache: False trains, compresses and compiles everything anew; attempts: how often at most to run
    what only a disturbed machine makes INVALID; progress: is called with each event (`harness.events`) or line, in the
    calling thread.

    Raises ScenarioError with every problem of the file, UsageError where it holds several scenarios, and another
    HarnessError where a stage fails; what was measured before it is in the run directory.
    """
    settings = _settings([scenario], overrides, Path(out), cache=cache)
    ran = run_several([load_one(Path(scenario), overrides)], settings, progress or _silent, attempts=attempts)
    ((run_dir, report),) = ran.done
    return FinishedRun(run_dir.path, report)


def run_suite(
    paths: Paths,
    *,
    overrides: Sequence[str] = (),
    out: str | Path = "results",
    cache: bool = True,
    resume: bool = False,
    attempts: int = 1,
    progress: Progress | None = None,
) -> FinishedSuite:
    """Run scenario files, folders and suites one after the other, and save the page that compares them in `out`.

    resume: leave out scenarios of which `out` has a finished run by this code, from these files, on this machine; it
    counts as run now. Other arguments are those of `run`. A scenario that fails does not keep the others from running:
    it is in `failures`. Raises ScenarioError with every problem of every file; the error of a scenario that is alone.
    """
    named = [paths] if isinstance(paths, str | Path) else list(paths)
    loaded = load([Path(path) for path in named], overrides)
    settings = _settings(named, overrides, Path(out), cache=cache)
    ran = run_several(
        [item.scenario for item in loaded], settings, progress or _silent, resume=resume, attempts=attempts
    )
    if ran.done:
        suite = next((item.suite for item in loaded if item.suite), "suite")
        save_suite([run_dir for run_dir, _ in ran.done], settings.out, suite)
    runs = tuple(FinishedRun(run_dir.path, report) for run_dir, report in ran.done)
    return FinishedSuite(runs, ran.failures)


def load_report(run_dir: str | Path) -> FinishedRun:
    """A finished run, from its directory; measures and writes nothing. UsageError where it is none."""
    found = RunDir(Path(run_dir))
    return FinishedRun(found.path, found.report())


def _settings(paths: Sequence[str | Path], overrides: Sequence[str], out: Path, *, cache: bool) -> Settings:
    """How to run; the command in the report does the same on a command line."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line has it, for all that is started
    options = [*(word for text in overrides for word in ("--set", text)), "--out", str(out)]
    command = shlex.join(["harness", "run", *map(str, paths), *options, *([] if cache else ["--no-cache"])])
    return Settings(out=out, cache=Cache(default_cache_dir(), enabled=cache), command=command)


def _silent(_: str | Event) -> None:
    """Nobody listens."""
