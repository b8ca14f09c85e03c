"""The command that compares two sides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from harness.cli.settings import json_option, no_cache_option, out_option, quiet_option, settings_of

if TYPE_CHECKING:
    from harness.studies import Comparison


_GIVEN = ParameterSource.COMMANDLINE


class Share(click.ParamType):  # type: ignore[type-arg]
    """A share of one, written as `5%` or `0.05`."""

    name = "share"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Between 0 and 1."""
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
    "--min-effect", type=Share(), default="5%", show_default=True, help="The smallest difference that matters."
)
@click.option(
    "--finished", is_flag=True, help="A and B are run directories: compare what they have measured, measure nothing."
)
@click.option("--force", is_flag=True, help="With --finished, compare runs of different scenarios or machines too.")
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
    finished: bool,
    force: bool,
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

    With --finished nothing is measured: A and B are run directories, judged from their samples. They were not measured
    in turn, so what the machine did between them counts as a difference, and less can be decided. Runs of different
    scenarios or machines are refused, unless by --force.
    """
    if finished:
        return _compare_finished(a, b, min_effect, force=force, fail_if_slower=fail_if_slower, as_json=as_json)
    if force:
        raise click.UsageError("--force goes with --finished: sides that are measured here need none")
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


def _compare_finished(a: str, b: str, min_effect: float, *, force: bool, fail_if_slower: bool, as_json: bool) -> int:
    from harness.pipeline.finished import compare_finished
    from harness.registry import report_format

    source = click.get_current_context().get_parameter_source
    idle = [name for name in ("scenario", "window_s", "rounds", "out", "no_cache") if source(name) is _GIVEN]
    if idle:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in idle)
        raise click.UsageError(f"--finished measures nothing, so {options} would do nothing")
    found = compare_finished(Path(a), Path(b), min_effect, force=force)
    click.echo(report_format("json" if as_json else "terminal").render_study(found))
    return comparison_code(found, fail_if_slower=fail_if_slower)


def comparison_code(found: Comparison, *, fail_if_slower: bool = False) -> int:
    """1 where B is slower and that fails; 4 where some percentile is undecided; else 0."""
    answers = {diff.answer for diff in found.differences}
    if fail_if_slower and "A faster" in answers:
        return 1
    return 4 if not answers or "undecided" in answers else 0
