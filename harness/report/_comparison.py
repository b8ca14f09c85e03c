"""A comparison of two sides in words and as tables."""

from __future__ import annotations

from harness.report import _numbers as numbers
from harness.report._table import Table
from harness.studies import Comparison, Difference


def sentence(comparison: Comparison) -> str:
    """The answer for each percentile, and what that rests on."""
    hard = [finding.name for finding in comparison.findings if finding.hard]
    if not comparison.differences:
        return "Nothing could be compared: neither side has samples."
    said = [f"at {diff.percentile}: {_answer(diff, comparison.min_effect)}" for diff in comparison.differences]
    trust = f"the measurement can't be trusted ({', '.join(dict.fromkeys(hard))}): " if hard else ""
    force = "by force, though the runs are not alike: " if comparison.finished and comparison.finished.differing else ""
    text = force + trust + "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def tables(comparison: Comparison) -> tuple[Table, ...]:
    """Both sides and how they differ; then what the letters stand for."""
    effect = numbers.share(comparison.min_effect)
    note = (
        f"{_rests_on(comparison)} A side is called faster where the whole interval of B / A lies beyond {effect}, and "
        f"the difference too small to matter where the whole interval lies within it."
    )
    columns = ("latency", "answer", "A", "B", "B - A", "interval of B - A", "B / A", "interval of B / A")
    rows = tuple(_row(diff, comparison.min_effect) for diff in comparison.differences)
    sides = tuple((side, what) for side, what in comparison.sides.items())
    return (
        Table("A against B", columns, rows, n_text=2, note=note),
        Table("Sides", ("side", "what"), sides, n_text=2, wide=(1,)),
    )


def _rests_on(comparison: Comparison) -> str:
    """What intervals hold for."""
    finished = comparison.finished
    if finished is None:
        return (
            f"Intervals hold with 95 % confidence, over {comparison.n_rounds} interleaved rounds of the same requests."
        )
    known = [f"{numbers.share(spread)} of the {name}" for name, spread in finished.between_runs.items() if spread > 0]
    between = (
        "what a machine does from one run to the next is not in them"
        if finished.n_before == 1
        else f"they allow for what the {finished.n_before} runs of A differ by among themselves"
        f" ({', '.join(known) or 'no more than chance'})"
    )
    return (
        f"Finished runs, not interleaved. Intervals hold with 95 % confidence, over {comparison.n_rounds} blocks of "
        f"requests or more a side; {between}."
    )


def _row(diff: Difference, min_effect: float) -> tuple[str, ...]:
    lower, upper = numbers.ms(diff.difference_lower_ms), numbers.ms(diff.difference_upper_ms)
    return (
        diff.percentile,
        answer(diff, min_effect),
        numbers.ms(diff.a_ms),
        numbers.ms(diff.b_ms),
        numbers.ms(diff.difference_ms),
        f"{lower} to {upper}",
        f"{diff.ratio:.3f}",
        f"{diff.ratio_lower:.3f} to {diff.ratio_upper:.3f}",
    )


def answer(diff: Difference, min_effect: float) -> str:
    """The answer in the words of the command: `A faster`, `no difference larger than 5 %`."""
    return f"no difference larger than {numbers.share(min_effect)}" if diff.answer == "no difference" else diff.answer


def _answer(diff: Difference, min_effect: float) -> str:
    ratio = f"B takes {diff.ratio_lower:.3f} to {diff.ratio_upper:.3f} times as long as A"
    return f"{answer(diff, min_effect)} ({ratio})"
