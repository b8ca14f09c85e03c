"""Commands about what there is: list and schema."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("datasets", "rankers", "methods", "engines", "adapters", "formats", "extracts", "exporters", "sinks")


@click.command(name="list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List the plug-ins of every kind, each with a line about it; `harness explain NAME` has more."""
    from harness import registry

    kinds = [k for k in registry.ROOMS if kind in (None, k)]
    found = {k: {name: registry.summary(k, name) for name in registry.names(k)} for k in kinds}
    if as_json:
        import json

        click.echo(json.dumps(found, indent=1))
        return
    width = max(len(name) for names in found.values() for name in names)
    for k, names in found.items():
        click.secho(k, bold=True)
        for name, line in names.items():
            click.echo(f"  {name:<{width}}  {line}")


@click.command()
@click.option("--report", "of_report", is_flag=True, help="Of result.json, instead of a scenario.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write it to.  [default: print it]"
)
def schema(out: Path | None, of_report: bool) -> None:
    """Print the JSON Schema of a scenario (for editors: `# yaml-language-server: $schema=FILE`), or of a report."""
    text = _report_schema_text() if of_report else _schema_text()
    if out is None:
        click.echo(text)
        return
    _write(out, text)
    hint = "" if of_report else f"; head a scenario with: # yaml-language-server: $schema={out}"
    click.echo(f"wrote {out}{hint}")


def write_schema(path: Path) -> None:
    """Write the schema of this version's scenarios, plug-ins included."""
    _write(path, _schema_text())


def _write(path: Path, text: str) -> None:
    from harness.errors import UsageError

    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"can't write: {error.strerror}", where=str(path), remedy="name a file in a folder that is there"
        ) from error


def _schema_text() -> str:
    import json

    from harness.scenario import json_schema

    return json.dumps(json_schema(), indent=1)


def _report_schema_text() -> str:
    import json

    from harness.report.json import json_schema

    return json.dumps(json_schema(), indent=1)
