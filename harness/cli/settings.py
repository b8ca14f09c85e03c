"""Options that every measuring command has."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.pipeline import Settings

set_option = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, such as traffic.offered_qps=200."
)
out_option = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default="results", show_default=True,
    help="Folder for run directories.",
)  # fmt: skip
no_cache_option = click.option("--no-cache", is_flag=True, help="Train, compress and compile everything anew.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress.")


def settings_of(out: Path, no_cache: bool) -> Settings:
    """How to run: where results go, the cache, and this command line."""
    from harness.cache import Cache, default_cache_dir
    from harness.pipeline import Settings

    command = shlex.join(["harness", *sys.argv[1:]])
    return Settings(out=out, cache=Cache(default_cache_dir(), enabled=not no_cache), command=command)
