"""The command that finds the highest rate within the SLA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.settings import json_option, no_cache_option, out_option, quiet_option, set_option, settings_of

if TYPE_CHECKING:
    from harness.studies import Capacity


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@set_option
@click.option(
    "--budget-s", type=click.FloatRange(20, 7200), default=150.0, show_default=True, help="Seconds of load tests."
)
@out_option
@no_cache_option
@json_option
@quiet_option
def capacity(
    scenario: Path, overrides: Sequence[str], budget_s: float, out: Path, no_cache: bool, as_json: bool, quiet: bool
) -> int:
    """Find the highest rate at which a scenario still meets its latency objectives and error rate.

    Starts at traffic.offered_qps. Exit codes: 0 some rate passed and some failed, 4 the capacity is open.
    """
    from harness.cli.progress import reporter
    from harness.pipeline.capacity import find_capacity
    from harness.registry import report_format
    from harness.scenario import load_one

    with reporter(quiet=quiet, as_json=as_json) as progress:
        run_dir, found = find_capacity(load_one(scenario, overrides), settings_of(out, no_cache), budget_s, progress)
    click.echo(report_format("json" if as_json else "terminal").render_study(found))
    click.echo(f"{run_dir.path / 'capacity.html'}", err=True)
    return capacity_code(found)


def capacity_code(found: Capacity) -> int:
    """0 where some rate passed and some failed, 4 where the capacity is open to one side."""
    return 0 if found.lower_qps and math.isfinite(found.upper_qps) else 4
