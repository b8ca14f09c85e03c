"""The command that compares two sides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.settings import json_option, no_cache_option, out_option, quiet_option, settings_of

if TYPE_CHECKING:
    from harness.studies import Comparison


class _Share(click.ParamType):  # type: ignore[type-arg]
    name = "share"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip()
        if not re.fullmatch(r"\d+(\.\d+)? ?%|0?\.\d+|0", text):
            self.fail(f"{text!r} is no share below 1, such as 5% or 0.05", param, ctx)
        return float(text.rstrip("% ")) / 100 if text.endswith("%") else float(text)


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--scenario", type=click.Path(path_type=Path), help="Whose data and traffic.  [default: that of A, else of B]"
)
@click.option(
    "--window-s", type=click.FloatRange(1, 3600), default=30.0, show_default=True, help="Judged seconds per side."
)
@click.option("--rounds", type=click.IntRange(5, 100), default=20, show_default=True, help="Blocks, sides alternating.")
@click.option(
    "--min-effect", type=_Share(), default="5%", show_default=True, help="The smallest difference that matters."
)
@click.option("--fail-if-slower", is_flag=True, help="Exit 1 where B is slower than A by more than --min-effect.")
@out_option
@no_cache_option
@json_option
@quiet_option
def compare(
    a: str,
    b: str,
    scenario: Path | None,
    window_s: float,
    rounds: int,
    min_effect: float,
    fail_if_slower: bool,
    out: Path,
    no_cache: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Measure A and B in interleaved rounds of the same requests, and say which is faster at p50 and p99.

    A and B are each a bundle directory, DIR@ENGINE, a run directory (its bundle, measured again), a scenario file, or
    the URL of an Open Inference Protocol endpoint on this machine. Exit codes: 0 every percentile is decided,
    4 undecided, 1 with --fail-if-slower.
    """
    from harness.cli.progress import reporter
    from harness.pipeline.compare import Question
    from harness.pipeline.compare import compare as measure
    from harness.registry import report_format

    question = Question(a, b, scenario, window_s, rounds, min_effect)
    with reporter(quiet=quiet, as_json=as_json) as progress:
        run_dir, found = measure(question, settings_of(out, no_cache), progress)
    click.echo(report_format("json" if as_json else "terminal").render_study(found))
    click.echo(f"{run_dir.path / 'compare.html'}", err=True)
    return comparison_code(found, fail_if_slower=fail_if_slower)


def comparison_code(found: Comparison, *, fail_if_slower: bool = False) -> int:
    """1 where B is slower and that fails; 4 where some percentile is undecided; else 0."""
    answers = {diff.answer for diff in found.differences}
    if fail_if_slower and "A faster" in answers:
        return 1
    return 4 if not answers or "undecided" in answers else 0
