"""Commands that work from files alone, of runs and of studies: judge and report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.capacity import capacity_code
from harness.cli.compare import comparison_code
from harness.cli.completion import complete_plugins
from harness.cli.run import exit_code

directory = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("run_dir", type=directory)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def judge(run_dir: Path, as_json: bool) -> int:
    """Judge a finished run again from its samples; measures nothing, and writes its reports anew."""
    from harness.pipeline import RunDir, publish
    from harness.pipeline.rejudge import judge_study
    from harness.pipeline.studies import read_study
    from harness.registry import report_format

    run, chosen = RunDir(run_dir), report_format("json" if as_json else "terminal")
    study = read_study(run)
    if study is not None:
        study = judge_study(run, study)
        click.echo(chosen.render_study(study))
        match study.kind:
            case "capacity":
                return capacity_code(study)
            case "compare":
                return comparison_code(study)
            case "bench":
                return 0
    report = publish(run)
    click.echo(chosen.render(report, run.samples()))
    return exit_code([report])


@click.command()
@click.argument("run_dirs", type=directory, nargs=-1, required=True)
@click.option(
    "--format", "format_name", default="terminal", show_default=True, shell_complete=complete_plugins("formats"),
    help="See `harness list formats`.",
)  # fmt: skip
def report(run_dirs: Sequence[Path], format_name: str) -> None:
    """Print the report of a finished run, or one comparison of several."""
    from harness.pipeline import RunDir
    from harness.pipeline.studies import read_study
    from harness.registry import report_format

    chosen = report_format(format_name)
    runs = [RunDir(path) for path in run_dirs]
    study = read_study(runs[0]) if len(runs) == 1 else None
    if study is not None:
        click.echo(chosen.render_study(study))
    elif len(runs) == 1:
        click.echo(chosen.render(runs[0].report(), runs[0].samples()))
    else:
        click.echo(chosen.render_suite([run.report() for run in runs]))
