"""The command that writes a scenario to start from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_QUESTIONS: dict[str, tuple[str, Any, Any]] = {
    "model": ("Model file (LightGBM, XGBoost, Treelite, TorchScript, ONNX; empty: train one)", _file, ""),
    "train": ("Data file to train and prune with (SVMlight, CSV, TSV, Parquet; empty: none)", _file, ""),
    "test": ("Data file to measure quality on (empty: the same)", _file, ""),
    "p99_ms": ("Latency limit at the 99th percentile, ms", click.FloatRange(0, min_open=True), 25.0),
    "qps": ("Requests per second", click.FloatRange(0, min_open=True), 100.0),
    "n_candidates": ("Candidates per request (0: the query groups as they are)", click.IntRange(0), 0),
}
"""Parameter -> what to ask, type, default."""


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default="scenario.yaml")
@click.option("--model", type=_file, help="Your model: LightGBM, XGBoost, Treelite, TorchScript, ONNX.")
@click.option("--train", type=_file, help="Data to train and prune with: SVMlight, CSV, TSV, Parquet.")
@click.option("--valid", type=_file, help="Data that methods choose by.  [default: a share of train]")
@click.option("--test", type=_file, help="Data to measure quality on, which no method sees.")
@click.option("--query", default="", metavar="COLUMN", help="Of a table, tells queries apart.  [default: guessed]")
@click.option("--grade", default="", metavar="COLUMN", help="Of a table, the grade.  [default: guessed]")
@click.option("--sla", multiple=True, metavar="NAME=LIMIT", help="An objective, such as p99_ms=25 or ndcg_drop=0.005.")
@click.option("--qps", type=click.FloatRange(0, min_open=True), help="Requests per second.  [default: 100]")
@click.option("--n-candidates", type=click.IntRange(0), help="Candidates per request; 0: the query groups as they are.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(path: Path, force: bool, sla: Sequence[str], **told: Any) -> None:
    """Write a scenario about your model and data that runs: asks on a terminal, or takes options.

    Looks into the files: what wrote the model, how many features it takes, the data's format and columns. Without
    options and terminal, writes a commented scenario to start from.
    """
    from harness.errors import UsageError
    from harness.init import Begin, begin
    from harness.scenario import TEMPLATE

    if path.exists() and not force:
        raise UsageError("exists already", where=str(path), remedy="choose another name, or add --force")
    limits = dict(map(_limit, sla))
    given = {name: value for name, value in told.items() if value not in (None, "")}
    if not given and not limits and _on_a_terminal():
        given, limits = _asked()
    if not given and not limits:
        text, found = TEMPLATE, "a commented scenario to start from"
    else:
        qps, n_candidates = given.pop("qps", 100.0), given.pop("n_candidates", 0)
        asked = Begin(path.stem, **given, sla=limits, offered_qps=qps, n_candidates=n_candidates or None)
        text, found = begin(asked)
    schema = _written(path, text)
    click.echo(f"wrote {path}: {found}; and {schema.name} beside it, for your editor to complete from")
    click.echo(f"next: harness run {path}")


def _written(path: Path, text: str) -> Path:
    """The scenario, headed by the line that tells editors its schema, which is written beside it."""
    from harness.cli.catalogue import write_schema
    from harness.errors import UsageError

    schema = path.with_name("scenario.schema.json")
    write_schema(schema)
    try:
        path.write_text(f"# yaml-language-server: $schema={schema.name}\n{text}", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"can't write: {error.strerror}", where=str(path), remedy="name a file in a folder that is there"
        ) from error
    return schema


def _asked() -> tuple[dict[str, Any], dict[str, float]]:
    """The answers, as the options would have given them."""
    answers = {name: _ask(*question) for name, question in _QUESTIONS.items()}
    limits = {"p99_ms": answers.pop("p99_ms"), "error_rate": 0.001}
    if answers["train"] or answers["test"]:
        limits["ndcg_drop"] = click.prompt(
            "NDCG that compression may cost", type=click.FloatRange(-1, 1), default=0.005
        )
    return {name: answer for name, answer in answers.items() if answer != ""}, limits


def _ask(words: str, kind: Any, default: Any) -> Any:
    if default != "":
        return click.prompt(words, type=kind, default=default)
    while True:
        answer = click.prompt(words, default="", show_default=False)
        try:
            return answer and kind.convert(answer, None, None)
        except click.BadParameter as error:
            click.echo(f"  {error.format_message()}", err=True)


def _limit(text: str) -> tuple[str, float]:
    name, _, limit = text.partition("=")
    try:
        return name.strip(), float(limit)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not of the form NAME=LIMIT, such as p99_ms=25", param_hint="--sla"
        ) from None


def _on_a_terminal() -> bool:
    return sys.stdin.isatty()
