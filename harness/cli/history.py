"""The command that follows scenarios over their runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.compare import Share
from harness.cli.settings import json_option

if TYPE_CHECKING:
    from harness.history.series import History


@click.command()
@click.argument("results_dir", type=click.Path(path_type=Path), default="results")
@click.option("--scenario", "names", multiple=True, metavar="NAME", help="Only runs of this scenario; repeatable.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts, too.")
@click.option("--fail-on-regression", is_flag=True, help="Exit 1 where a newest run is worse than those before it.")
@click.option(
    "--min-effect", type=Share(), default="5%", show_default=True, help="The smallest change that matters, with that."
)
@json_option
def history(
    results_dir: Path,
    names: Sequence[str],
    page: Path | None,
    fail_on_regression: bool,
    min_effect: float,
    as_json: bool,
) -> int:
    """Follow latency, capacity, quality and size of each scenario over its runs in RESULTS_DIR.

    Runs of one scenario on one machine make a series; others of that name stand apart, with what differs. The noise
    band is where the newest figure would lie by chance, by what the runs before differ by and their own bounds.

    --fail-on-regression compares the newest run of each series with up to 5 before it by the statistics of `harness
    compare --finished`, allowing for what those differ by among themselves. Exit codes then: 1 worse, 4 undecided, 0
    else.

    An index, RESULTS_DIR/history.sqlite, saves reading files again; deleting it loses nothing.
    """
    from harness.pipeline.history import history_of
    from harness.report.terminal import render_history

    found = history_of(results_dir, names, min_effect if fail_on_regression else None)
    for note in (*found.notes, *found.problems):
        click.echo(note, err=True)
    click.echo(found.model_dump_json() if as_json else render_history(found))
    if page is not None:
        _write_page(found, page)
    return history_code(found) if fail_on_regression else 0


def history_code(found: History) -> int:
    """1 where something is worse, 4 where that is undecided somewhere, else 0."""
    if any(series.regressions for series in found.series):
        return 1
    return 4 if any(series.undecided for series in found.series) else 0


def _write_page(found: History, page: Path) -> None:
    from harness.errors import HarnessError
    from harness.report.html import render_history

    try:
        page.write_text(render_history(found, page.parent), encoding="utf-8")
    except OSError as error:
        raise HarnessError(
            f"can't write: {error.strerror or error}", where=str(page), remedy="name a file in a folder that is there"
        ) from error
    click.echo(str(page), err=True)
