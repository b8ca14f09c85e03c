"""Trends: the points of one scenario on one machine in their order, and how far they scatter by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance
from typing import Literal

from harness.history.likeness import differing
from harness.history.point import MEASURES, Figure, Point
from harness.records import Record, Versioned
from harness.studies import Comparison

_FEWEST_FOR_SPREAD = 3
_ONE_SIDED, _TWO_SIDED = 1.645, 1.96


class Band(Record):
    """Where the newest figure would lie by chance, with 95 % confidence, given those before it.

    n_before: how many those are; from_runs: whether their own scatter counts, which takes three, or only the bounds
    that each has of itself; newest: where the newest figure lies.
    """

    low: float
    high: float
    n_before: int
    from_runs: bool
    newest: Literal["within", "above", "below"]


class Series(Record):
    """The runs of one scenario on one machine, oldest first.

    apart: what differs from that series of the same name before it which is most alike; bands: by measure; comparison:
    the newest run against those before it, where that was asked for; regressions, undecided: what became worse, and
    what can't be told.
    """

    name: str
    subject: str
    apart: tuple[str, ...] = ()
    points: tuple[Point, ...]
    bands: dict[str, Band]
    comparison: Comparison | None = None
    regressions: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


class History(Versioned):
    """All series of a folder of results; problems: files that can't be read; notes: what became of the index."""

    root: str
    series: tuple[Series, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def series_of(points: Sequence[Point]) -> tuple[Series, ...]:
    """The points, oldest first, sorted into series by name, and in these by scenario and machine."""
    groups: list[tuple[tuple[str, ...], list[Point]]] = []
    for point in points:
        alike = [group for group in groups if _same_name(group[1][-1], point)]
        home = next((group for _, group in alike if not _apart(group[-1], point)), None)
        if home is not None:
            home.append(point)
        else:
            groups.append((min((_apart(group[-1], point) for _, group in alike), key=len, default=()), [point]))
    return tuple(
        Series(name=group[0].name, subject=group[0].subject, apart=apart, points=tuple(group), bands=_bands(group))
        for apart, group in groups
    )


def band(measure: str, before: Sequence[Figure], newest: Figure) -> Band | None:
    """The noise band of a measure: a prediction interval; None where nothing before has a scatter or bounds.

    The variance is what the figures before differ by, of logarithms where they are ratios; of fewer than three, what
    their own bounds allow. A difference in quality is of one test split, which no repetition shows: there the larger of
    both counts. The newest figure differs from their mean by its own chance too, hence 1 + 1 / n.
    """
    ratio = MEASURES[measure].ratio
    fit = [figure for figure in before if math.isfinite(figure.value) and (figure.value > 0 or not ratio)]
    if not fit or not newest.known:
        return None
    values = [math.log(figure.value) if ratio else figure.value for figure in fit]
    own = [error**2 for figure in fit if (error := _own_error(figure, ratio)) is not None]
    within = fmean(own) if own else math.nan
    from_runs = len(fit) >= _FEWEST_FOR_SPREAD
    between = variance(values) if from_runs else math.nan
    either = (between,) if from_runs and ratio else (within, between)
    known = [value for value in either if not math.isnan(value)]
    if not known:
        return None
    reach = _t_quantile(len(fit) - 1) if from_runs else _TWO_SIDED
    half = reach * math.sqrt(max(known) * (1 + 1 / len(fit)))
    low, high = fmean(values) - half, fmean(values) + half
    if ratio:
        low, high = math.exp(low), math.exp(min(high, 700.0))
    place: Literal["within", "above", "below"] = "within"
    if newest.value > high * (1 + 1e-9 if ratio else 1) + 1e-12:
        place = "above"
    elif newest.value < low * (1 - 1e-9 if ratio else 1) - 1e-12:
        place = "below"
    return Band(low=low, high=high, n_before=len(fit), from_runs=from_runs, newest=place)


def worse(measure: str, before: Figure, newest: Figure, min_effect: float) -> bool:
    """Whether the bounds of two figures exclude that the newest is as good; ratios by more than `min_effect`."""
    about = MEASURES[measure]
    edge = 1 + min_effect if about.ratio else 1.0
    if about.more_is_better:
        return newest.upper * edge < before.lower
    return newest.lower > before.upper * edge if about.ratio else newest.lower > before.upper


def _bands(points: Sequence[Point]) -> dict[str, Band]:
    found = {}
    for measure in MEASURES:
        measured = [point for point in points if point.figure(measure).known]
        if not measured or not measured[-1].trusted(measure).known:
            continue  # of the newest nothing can be said
        figures = [figure for point in measured if (figure := point.trusted(measure)).known]
        if len(figures) > 1 and (one := band(measure, figures[:-1], figures[-1])) is not None:
            found[measure] = one
    return found


def _own_error(figure: Figure, ratio: bool) -> float | None:
    """Standard error behind one-sided 95 % bounds; None where there are none."""
    if not (math.isfinite(figure.lower) and math.isfinite(figure.upper)) or (ratio and figure.lower <= 0):
        return None
    span = math.log(figure.upper / figure.lower) if ratio else figure.upper - figure.lower
    return span / (2 * _ONE_SIDED)


def _t_quantile(degrees_of_freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, degrees_of_freedom))


def _same_name(one: Point, other: Point) -> bool:
    return one.name == other.name and (one.subject == other.subject or "" in (one.subject, other.subject))


def _apart(one: Point, other: Point) -> tuple[str, ...]:
    return differing(one.machine, other.machine, one.question, other.question)
