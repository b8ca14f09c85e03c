"""The command that times one model on every engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.settings import json_option, no_cache_option, out_option, quiet_option, set_option, settings_of

_LONGEST = 100_000


class _Lengths(click.ParamType):  # type: ignore[type-arg]
    name = "n,n,..."

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in value.split(",")]
        if not all(word.isdecimal() and 1 <= int(word) <= _LONGEST for word in words):
            self.fail(f"{value!r} is no list of whole numbers from 1 to {_LONGEST:,}, such as 1,100", param, ctx)
        return tuple(sorted({int(word) for word in words}))


@click.command()
@click.argument("what", metavar="SCENARIO|BUNDLE_DIR|MODEL_FILE", type=click.Path(exists=True, path_type=Path))
@set_option
@click.option(
    "--n-candidates",
    "lengths",
    type=_Lengths(),
    default="1,20,100,500,1000",
    show_default=True,
    help="Lengths of candidate lists.",
)
@click.option(
    "--engines",
    default="",
    help="NAME or NAME:key=value, such as tl2cgen:opt_level=3.  [default: all that take the model]",
)
@click.option(
    "--compile-limit",
    type=click.FloatRange(1, 7200),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="An engine that takes longer to open is left out.",
)
@out_option
@no_cache_option
@json_option
@quiet_option
def bench(
    what: Path, overrides: Sequence[str], lengths: tuple[int, ...], engines: str, compile_limit: float,
    out: Path, no_cache: bool, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Which engine is fastest for this model on this machine? All of them, interleaved in one process on one core.

    A LightGBM, XGBoost or Treelite file needs nothing beside it: its candidates are random, with missing values.
    """
    from harness.cli.progress import reporter
    from harness.pipeline.bench import Question
    from harness.pipeline.bench import bench as measure
    from harness.registry import report_format

    labels = tuple(dict.fromkeys(filter(None, map(str.strip, engines.split(",")))))
    question = Question(what, tuple(overrides), lengths, labels, compile_limit)
    with reporter(quiet=quiet, as_json=as_json) as progress:
        run_dir, found = measure(question, settings_of(out, no_cache), progress)
    click.echo(report_format("json" if as_json else "terminal").render_study(found))
    click.echo(f"{run_dir.path / 'bench.html'}", err=True)
