"""Commands about what there is: list and schema."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("datasets", "rankers", "methods", "engines", "adapters", "formats", "exporters")


@click.command(name="list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List datasets, rankers, methods, engines, adapters, report formats and exporters, each with a line; `harness explain NAME` has more."""
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
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write it to.  [default: print it]"
)
def schema(out: Path | None) -> None:
    """Print the JSON Schema of a scenario (for editors: `# yaml-language-server: $schema=FILE`)."""
    if out is None:
        click.echo(_schema_text())
    else:
        write_schema(out)
        click.echo(f"wrote {out}; head a scenario with: # yaml-language-server: $schema={out}")


def write_schema(path: Path) -> None:
    """Write the schema of this version, plug-ins included."""
    from harness.errors import UsageError

    try:
        path.write_text(f"{_schema_text()}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"can't write: {error.strerror}", where=str(path), remedy="name a file in a folder that is there"
        ) from error


def _schema_text() -> str:
    import json

    from harness.scenario import json_schema

    return json.dumps(json_schema(), indent=1)
