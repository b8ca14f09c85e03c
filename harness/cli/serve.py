"""The command that serves a bundle alone."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.completion import complete_plugins


@click.command()
@click.argument("what", metavar="BUNDLE_DIR|SCENARIO", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--engine", default="", shell_complete=complete_plugins("engines"),
    help="Engine for a bundle directory.  [default: its reference engine]",
)  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 picks a free port.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Server processes.")
def serve(what: Path, engine: str, port: int, workers: int) -> None:
    """Serve a bundle, or what a scenario builds, over the Open Inference Protocol until interrupted."""
    from harness.cache import Cache, default_cache_dir
    from harness.cli.progress import reporter
    from harness.pipeline.server import serve_forever

    with reporter(quiet=False) as progress:
        serve_forever(what, engine, port, workers, Cache(default_cache_dir()), progress)
