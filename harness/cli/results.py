"""Commands that work from files alone, of runs and of studies: judge and report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.capacity import capacity_code
from harness.cli.compare import comparison_code
from harness.cli.completion import complete_plugins
from harness.cli.run import exit_code
from harness.errors import UsageError

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
    "--format", "format_name", default="terminal", show_default=True,
    shell_complete=complete_plugins("formats", "extracts"),
    help="See `harness list formats` and `harness list extracts`.",
)  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write.  [default: print it]")
def report(run_dirs: Sequence[Path], format_name: str, out: Path | None) -> None:
    """Print the report of a finished run, or one comparison of several; or what another tool reads of them."""
    text = _rendered(run_dirs, format_name)
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"can't write: {error.strerror or error}", where=str(out), remedy="name a file in a folder that is there"
        ) from error


def _rendered(run_dirs: Sequence[Path], format_name: str) -> str:
    from harness import registry
    from harness.pipeline import RunDir
    from harness.pipeline.studies import read_study

    runs = [RunDir(path) for path in run_dirs]
    study = read_study(runs[0]) if len(runs) == 1 else None
    if format_name in registry.names("extracts"):
        if study is not None:
            raise UsageError(
                f"{format_name} tells of runs, and this is a {study.kind} study",
                where=str(run_dirs[0]),
                remedy="use one of " + ", ".join(registry.names("formats")),
            )
        return registry.extract(format_name).render([run.report() for run in runs])
    chosen = registry.report_format(format_name)
    if study is not None:
        return chosen.render_study(study)
    if len(runs) == 1:
        return chosen.render(runs[0].report(), runs[0].samples())
    return chosen.render_suite([run.report() for run in runs])


@click.command()
@click.argument("run_dir", type=directory)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path),
    help="A .csv file, or .parquet (extra `parquet`).  [default: CSV on stdout]",
)  # fmt: skip
def samples(run_dir: Path, out: Path | None) -> None:
    """Write every request of a run as a row: due, sent and done, latency, status, target, list length."""
    from harness.pipeline import RunDir

    found = RunDir(run_dir).samples()
    if found is None:
        raise UsageError(
            "this run has no samples: it ended before its load test",
            where=str(run_dir),
            remedy="run the scenario again",
        )
    frame = found.frame()
    if out is None:
        click.echo(frame.to_csv(index=False), nl=False)
        return
    try:
        if out.suffix == ".csv":
            frame.to_csv(out, index=False)
        elif out.suffix == ".parquet":
            frame.to_parquet(out, index=False)
        else:
            raise UsageError("no such form of samples", where=str(out), remedy="name a .csv or a .parquet file")
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow", where=str(out), remedy="pip install 'ranking-latency-harness[parquet]'"
        ) from error
    except OSError as error:
        raise UsageError(
            f"can't write: {error.strerror or error}", where=str(out), remedy="name a file in a folder that is there"
        ) from error
