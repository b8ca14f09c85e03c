"""Commands that read scenarios: run and validate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.publish import known_sinks, published, sink_option
from harness.cli.settings import json_option, no_cache_option, out_option, quiet_option, set_option, settings_of
from harness.cli.step_summary import append_step_summary

if TYPE_CHECKING:
    from harness.pipeline import RunDir, Settings
    from harness.records import Report
    from harness.scenario import LoadedScenario, Scenario

paths_argument = click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)


@click.command()
@paths_argument
@set_option
@out_option
@no_cache_option
@click.option("--dry-run", is_flag=True, help="Print the plan with its times; nothing is built or served.")
@click.option(
    "--resume",
    is_flag=True,
    help="Leave out what --out has a finished run of: same scenario, code, files, machine. Its report counts as new.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="Run at most so often what a disturbed machine makes INVALID. The last attempt counts; all are kept.",
)
@sink_option
@json_option
@quiet_option
def run(
    paths: Sequence[Path],
    overrides: Sequence[str],
    out: Path,
    no_cache: bool,
    dry_run: bool,
    resume: bool,
    attempts: int,
    sinks: Sequence[str],
    as_json: bool,
    quiet: bool,
) -> int:
    """Run scenario files, folders and suites: build, serve, load-test, judge, report.

    Progress goes to stderr: a live screen on a terminal, lines elsewhere, one JSON object a line with --json. Exit code
    3 where a tracker did not take a run, too: the run is kept, and `harness publish` sends it again.
    """
    from harness.cli.progress import reporter
    from harness.pipeline.several import run_several
    from harness.scenario import load

    known_sinks(sinks)
    loaded = load(paths, overrides)
    scenarios, settings = [item.scenario for item in loaded], settings_of(out, no_cache)
    if dry_run:
        _print_plan(scenarios, settings, resume=resume, as_json=as_json)
        return 0
    with reporter(quiet=quiet, as_json=as_json) as progress:
        ran = run_several(scenarios, settings, progress, resume=resume, attempts=attempts)
    _print(ran.done, out, loaded, as_json=as_json)
    for name, failure in ran.failures.items():
        click.echo(f"error: {name}: {failure}", err=True)
    taken = published(sinks, [run_dir for run_dir, _ in ran.done])
    return 3 if ran.failures or not taken else exit_code([report for _, report in ran.done])


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


def _print_plan(scenarios: Sequence[Scenario], settings: Settings, *, resume: bool, as_json: bool) -> None:
    from harness.cli.dry_run import shown
    from harness.pipeline.plan import plans_of
    from harness.pipeline.resume import finished

    before = finished(scenarios, settings.out) if resume else {}
    plans = plans_of([scenario for scenario in scenarios if scenario.name not in before], settings.cache)
    click.echo(shown(plans, tuple(before), as_json=as_json))


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
        _written([run_dir.path / "report.html"], as_json=as_json)
        return
    click.echo(chosen.render_suite(reports))
    append_step_summary(report_format("markdown").render_suite(reports))
    written = save_suite([run_dir for run_dir, _ in done], out, next((i.suite for i in loaded if i.suite), "suite"))
    _written(written, as_json=as_json)


def _written(paths: Sequence[Path], *, as_json: bool) -> None:
    """Where the pages lie; with --json stderr is left to objects, whose `scenario_done` names the run directory."""
    for path in () if as_json else paths:
        click.echo(str(path), err=True)
