"""The command that says whether published pages are true to what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

FALSE = 1


@click.command()
@click.argument("paths", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(paths: Sequence[Path], as_json: bool) -> int:
    """Recompute digests, verdict and pages of runs, studies and suites from their files, and compare.

    Takes run directories, folders of them, and the .json files of suites. Exit codes: 0 all is true to the samples,
    1 something is not, by name. Nothing is measured or changed. Whoever can rewrite a whole run directory can rewrite
    its digests and version too: sign SHA256SUMS where this matters.
    """
    from harness.pipeline.verify import verify as verified

    found = [one for path in paths for one in verified(path)]
    if as_json:
        import json

        click.echo(
            json.dumps(
                [{"path": str(v.path), "true": v.true, "faults": v.faults, "notes": v.notes} for v in found], indent=1
            )
        )
    else:
        for one in found:
            click.secho(f"{'true' if one.true else 'NOT TRUE'}  {one.path}", fg="green" if one.true else "red")
            for line in (*one.faults, *(f"note: {note}" for note in one.notes)):
                click.echo(f"  {line}")
    return 0 if all(one.true for one in found) else FALSE
