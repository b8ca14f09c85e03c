"""The command that sends finished runs to trackers, and the option of `harness run` that does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.completion import complete_plugins

if TYPE_CHECKING:
    from harness.pipeline import RunDir

sink_option = click.option(
    "--sink", "sinks", multiple=True, shell_complete=complete_plugins("sinks"), metavar="TRACKER",
    help="Send each finished run to mlflow, opentelemetry or wandb, too; repeatable.",
)  # fmt: skip


@click.command()
@click.argument("run_dirs", type=click.Path(exists=True, file_okay=False, path_type=Path), nargs=-1, required=True)
@click.option(
    "--to", "sinks", multiple=True, required=True, shell_complete=complete_plugins("sinks"), metavar="TRACKER",
    help="mlflow, opentelemetry, wandb; see `harness list sinks`. Repeatable.",
)  # fmt: skip
def publish(run_dirs: Sequence[Path], sinks: Sequence[str]) -> int:
    """Send finished runs to trackers: figures, scenario, report. Nothing is measured.

    Where to and as whom is told by each tracker's own environment variables (`harness explain mlflow`). Exit code 3
    where one did not take a run; the others are tried all the same.
    """
    from harness.pipeline import RunDir

    known_sinks(sinks)
    return 0 if published(sinks, [RunDir(path) for path in run_dirs]) else 3


def known_sinks(sinks: Sequence[str]) -> None:
    """UsageError, with the near miss, for a tracker that there is not; best before anything is measured."""
    from harness import registry

    for sink in sinks:
        registry.sink(sink)


def published(sinks: Sequence[str], runs: Sequence[RunDir]) -> bool:
    """Send every run to every tracker and say on stderr how that went; whether all were taken."""
    from harness.errors import SinkError
    from harness.pipeline.tracking import publish_all

    taken = True
    for outcome in publish_all(sinks, runs):
        failed = isinstance(outcome, SinkError)
        taken = taken and not failed
        click.echo(f"error: {outcome}" if failed else f"sent {outcome}", err=True)
    return taken
