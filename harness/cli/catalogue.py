"""Commands about what there is: list, schema, init."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("datasets", "rankers", "methods", "engines", "adapters", "formats", "exporters")


@click.command(name="list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List datasets, rankers, methods, engines, adapters, report formats and exporters, with a line about each."""
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
def schema() -> None:
    """Print the JSON Schema of a scenario (for editors: `# yaml-language-server: $schema=FILE`)."""
    import json

    from harness.scenario import json_schema

    click.echo(json.dumps(json_schema(), indent=1))


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default="scenario.yaml")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(path: Path, force: bool) -> None:
    """Write a commented scenario to start from."""
    from harness.errors import UsageError
    from harness.scenario import TEMPLATE

    if path.exists() and not force:
        raise UsageError("exists already", where=str(path), remedy="choose another name, or add --force")
    try:
        path.write_text(TEMPLATE, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't write: {error.strerror}", where=str(path)) from error
    click.echo(f"wrote {path}; run it with: harness run {path}")
