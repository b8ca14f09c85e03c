"""The command that measures the noise floor."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option(
    "--window-s", type=click.FloatRange(1, 600), default=10.0, show_default=True, help="Time to measure the floor for."
)
@click.option("--json", "as_json", is_flag=True, help="Print the calibration as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def calibrate(scenario: Path | None, window_s: float, as_json: bool, quiet: bool) -> None:
    """Measure what the harness itself adds to a latency on this machine, for later runs to show beside their SLA.

    Sends the traffic of SCENARIO (else 200 requests per second of 100 candidates with 136 features) to a server that
    does nothing, then searches the highest rate at which one generator process is on time. Takes about a minute.
    """
    from harness.cache import Cache, default_cache_dir
    from harness.cli.progress import reporter
    from harness.pipeline.calibrate import calibrate as measure_noise_floor
    from harness.report.terminal import render_calibration
    from harness.scenario import load_one

    asked = load_one(scenario) if scenario else None
    with reporter(quiet=quiet) as progress:
        calibration, path = measure_noise_floor(asked, window_s, Cache(default_cache_dir()), progress)
    click.echo(calibration.model_dump_json() if as_json else render_calibration(calibration))
    click.echo(str(path), err=True)
