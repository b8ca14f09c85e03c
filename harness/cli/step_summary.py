"""The summary that GitHub Actions shows of a job: what a run has to say, appended to the file that it names."""

from __future__ import annotations

import os
from pathlib import Path

import click

VARIABLE = "GITHUB_STEP_SUMMARY"


def append_step_summary(markdown: str) -> None:
    """Append to the job's summary, where there is one; where that fails, say so and go on."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown + "\n")
    except OSError as error:
        click.echo(f"could not append to {VARIABLE}: {error.strerror or error}", err=True)
