"""The command that writes a bundle as a model of others."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.completion import complete_plugins


@click.command()
@click.argument("what", metavar="BUNDLE|RUN_DIR|SCENARIO|MODEL_FILE", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--to", "form", required=True, shell_complete=complete_plugins("exporters"),
    help="lightgbm, xgboost, ...; see `harness list exporters`.",
)  # fmt: skip
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def export(what: Path, form: str, folder: Path) -> None:
    """Write a compressed ranker into DIR, to be loaded with nothing of ours: checked, with the lines that load it."""
    from harness import registry
    from harness.cache import Cache, default_cache_dir
    from harness.cli.progress import reporter
    from harness.pipeline.model_export import export_model
    from harness.pipeline.named_bundle import named_bundle

    registry.exporter(form)  # before anything is built
    with reporter(quiet=False) as progress:
        done = export_model(named_bundle(what, Cache(default_cache_dir()), progress), form, folder, progress)
    click.echo(f"wrote {', '.join(done.files)} into {done.folder}. {done.checked}\n\n{done.usage}", nl=False)
