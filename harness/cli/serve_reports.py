"""The command that shows results as a small site."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="serve-reports")
@click.argument("results_dir", type=click.Path(path_type=Path), default="results")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Another than a loopback address shows it to others."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
def serve_reports(results_dir: Path, host: str, port: int) -> int:
    """Show RESULTS_DIR as a small site: runs, studies and suites, their history, and live what is under way.

    It can be read, and nothing else; samples, bundles and logs are not shown. Ends on Ctrl-C.
    """
    from harness.pipeline.site import site_of

    with site_of(results_dir.resolve(), host, port) as site:
        try:
            click.echo(f"{site.url}  (Ctrl-C ends it)", err=True)
            site.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            click.echo("ended", err=True)
    return 0
