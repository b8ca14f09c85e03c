"""Commands that generate load apart from a run: on several machines, or by Locust itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from harness.cli.settings import set_option

_PORT = 5557


class _PlanOrCommand(click.Group):
    """`harness load PLAN_DIR` is `harness load run PLAN_DIR`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_PlanOrCommand)
def load() -> None:
    """Run a load test from a plan directory: harness load PLAN_DIR [--master|--worker]; export makes one."""


@load.command(name="run")
@click.argument("plan_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Load processes, run alone."
)
@click.option("--master", is_flag=True, help="Lead workers that connect to this machine, and gather their samples.")
@click.option("--expect-workers", type=click.IntRange(1), default=1, show_default=True, help="How many, of a master.")
@click.option(
    "--bind-host", default="127.0.0.1", show_default=True, help="Where a master listens; 0.0.0.0: everywhere."
)
@click.option("--bind-port", type=click.IntRange(1, 65535), default=_PORT, show_default=True)
@click.option("--worker", is_flag=True, help="Send requests as a master says.")
@click.option("--master-host", default="127.0.0.1", show_default=True, help="The master of a worker.")
@click.option("--master-port", type=click.IntRange(1, 65535), default=_PORT, show_default=True)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def run_plan(plan_dir: Path, quiet: bool, **role: Any) -> int:
    """Run a plan directory on this machine alone, as the master of others, or as a worker.

    Results go into PLAN_DIR/measured, the master's where there is one. Exit code 4 where a worker was lost.
    """
    from harness.cli.progress import reporter
    from harness.errors import UsageError
    from harness.load import distributed, process

    if role["master"] + role["worker"] + (role["processes"] > 1) > 1:
        raise UsageError("--master, --worker and --processes exclude one another", remedy="give one of them")
    if role["worker"]:
        distributed.run_worker(plan_dir, process.worker(role["master_host"], role["master_port"]))
        return 0
    arguments = (
        process.master(role["expect_workers"], role["bind_host"], role["bind_port"])
        if role["master"]
        else process.forked(role["processes"])
    )
    with reporter(quiet=quiet) as progress:
        samples, info, out = distributed.run_plan(plan_dir, arguments, progress)
    for target in samples.targets:
        judged = samples.judged(target)
        click.echo(f"{target}: {int(judged.ok.sum())} of {len(judged)} requests answered; {out}")
    for note in info.notes:
        click.echo(note, err=True)
    return 4 if info.n_workers_lost or not info.complete else 0


@load.command()
@click.argument("scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--target-url", default="", help="Full URL that takes the requests. [default: the scenario's target]")
@click.option("--remote", is_flag=True, help="Allow another host than this: load only hosts you may.")
@click.option(
    "--expect-workers", type=click.IntRange(1, 500), default=2, show_default=True, help="For the commands in it."
)
@set_option
def export(
    scenario: Path, folder: Path, target_url: str, remote: bool, expect_workers: int, overrides: Sequence[str]
) -> None:
    """Write a scenario's load test into DIR, for Locust to run: plan, bodies, locustfile, Dockerfile, Kubernetes."""
    from harness.cache import Cache, default_cache_dir
    from harness.cli.progress import reporter
    from harness.pipeline.exporting import Destination, export_load_test

    with reporter(quiet=False) as progress:
        export_load_test(
            scenario,
            overrides,
            Destination(target_url, remote),
            folder,
            expect_workers,
            Cache(default_cache_dir()),
            progress,
        )
    click.echo(f"wrote {folder}; {folder / 'README.md'} says how to start it")
