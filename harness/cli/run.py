"""Commands that read scenarios: run and validate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.settings import json_option, no_cache_option, out_option, quiet_option, set_option, settings_of
from harness.cli.step_summary import append_step_summary

if TYPE_CHECKING:
    from harness.pipeline import RunDir
    from harness.records import Report
    from harness.scenario import LoadedScenario

paths_argument = click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)


@click.command()
@paths_argument
@set_option
@out_option
@no_cache_option
@json_option
@quiet_option
def run(paths: Sequence[Path], overrides: Sequence[str], out: Path, no_cache: bool, as_json: bool, quiet: bool) -> int:
    """Run scenario files, folders and suites: build, serve, load-test, judge, report."""
    from harness.cli.progress import reporter
    from harness.errors import HarnessError
    from harness.pipeline import run as run_scenario
    from harness.scenario import load

    loaded = load(paths, overrides)
    settings = settings_of(out, no_cache)
    done: list[tuple[RunDir, Report]] = []
    failures: list[str] = []
    with reporter(quiet=quiet) as progress:
        for index, item in enumerate(loaded):
            progress.start(f"[{index + 1}/{len(loaded)}] {item.scenario.name}" if len(loaded) > 1 else "")
            try:
                done.append(run_scenario(item.scenario, settings, progress))
            except HarnessError as error:
                if len(loaded) == 1:
                    raise
                failures.append(f"{item.scenario.name}: {error}")
                progress(f"failed: {error}")
    _print(done, out, loaded, as_json=as_json)
    for failure in failures:
        click.echo(f"error: {failure}", err=True)
    return 3 if failures else exit_code([report for _, report in done])


@click.command()
@paths_argument
@set_option
def validate(paths: Sequence[Path], overrides: Sequence[str]) -> None:
    """Check scenario files without running them: keys, values, plug-in options (not data, models or machines)."""
    from harness.scenario import load

    for item in load(paths, overrides):
        click.echo(f"{item.file}: {item.scenario.name}: valid")


def exit_code(reports: Sequence[Report]) -> int:
    """0 all PASS, 1 an SLA missed, 4 otherwise."""
    statuses = {report.verdict.status.value for report in reports}
    if "FAIL" in statuses:
        return 1
    return 4 if statuses - {"PASS"} else 0


def _print(
    done: Sequence[tuple[RunDir, Report]], out: Path, loaded: Sequence[LoadedScenario], *, as_json: bool
) -> None:
    """One run in full; several as one table, kept as a suite page beside the run directories."""
    from harness.pipeline import save_suite
    from harness.registry import report_format

    if not done:
        return
    reports = [report for _, report in done]
    chosen = report_format("json" if as_json else "terminal")
    if len(loaded) == 1:
        run_dir, report = done[0]
        click.echo(chosen.render(report, run_dir.samples()))
        append_step_summary(report_format("markdown").render(report, None))
        click.echo(f"{run_dir.path / 'report.html'}", err=True)
        return
    click.echo(chosen.render_suite(reports))
    append_step_summary(report_format("markdown").render_suite(reports))
    for path in save_suite([run_dir for run_dir, _ in done], out, next((i.suite for i in loaded if i.suite), "suite")):
        click.echo(str(path), err=True)
