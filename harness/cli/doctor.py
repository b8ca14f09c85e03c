"""The command that looks at the machine before anything is measured on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.settings import json_option, out_option

if TYPE_CHECKING:
    from harness.doctor import Check

_COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


@click.command()
@out_option
@json_option
def doctor(out: Path, as_json: bool) -> int:
    """Would latency figures of this machine be trustworthy? Looks for a second, and changes nothing.

    Each line: what, how it is, and where it is not ok, what that does to a figure and how to change it. Exit codes:
    0 nothing or only warnings, 1 where a run would fail or its figures could not be trusted.
    """
    from harness.cache import default_cache_dir
    from harness.doctor import examine, summary

    checks = list(examine(default_cache_dir(), out))
    if as_json:
        import json

        found = [check.model_dump() for check in checks]
        click.echo(json.dumps({"summary": summary(checks), "checks": found}, indent=1))
    else:
        click.echo("\n".join([summary(checks), "", *map(_line, checks)]))
    return 1 if any(check.mark == "bad" for check in checks) else 0


def _line(check: Check) -> str:
    mark = click.style(f"{check.mark:<5}", fg=_COLOURS[check.mark], bold=check.mark != "ok")
    below = (check.effect, f"-> {check.remedy}" if check.remedy else "")
    return "\n".join([f"{mark}{check.what:<25}{check.value}", *(f"     {line}" for line in below if line)])
