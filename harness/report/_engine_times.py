"""Time of a call against candidates in it as a picture: both axes logarithmic, a line with its name for each engine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.report import _numbers as numbers
from harness.report import _svg as svg
from harness.studies import Bench, BenchedEngine

_WIDTH, _HEIGHT = 860.0, 470.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 66.0, 190.0, 34.0, 52.0
_LINE = 17.0
_TONES = 8


@dataclass(frozen=True)
class _Axes:
    few: float
    many: float
    low_us: float
    high_us: float

    def x(self, n: float) -> float:
        share = math.log(n / self.few) / math.log(self.many / self.few) if self.many > self.few else 0.5
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share

    def y(self, us: float) -> float:
        share = math.log(us / self.low_us) / math.log(self.high_us / self.low_us)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def time_against_length(bench: Bench) -> str:
    """An <svg> of the median time at each length; empty where nothing was timed."""
    timed = [engine for engine in bench.engines if engine.times]
    known = [times.median_us for engine in timed for times in engine.times]
    if not known:
        return ""
    axes = _Axes(min(bench.lengths), max(bench.lengths), min(known) / 1.5, max(known) * 1.5)
    parts = list(_grid(axes))
    for tone, engine in enumerate(timed):
        parts += _line(axes, engine, f"tone-{tone % _TONES}")
    for y, tone, engine in _apart(axes, timed):
        parts.append(svg.text(_WIDTH - _RIGHT + 14, y + 4, engine.engine, f"label tone-{tone % _TONES}-text"))
    return svg.picture("times", _WIDTH, _HEIGHT, "Time against candidates", _in_words(timed), parts)


def _grid(axes: _Axes) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for us in svg.log_ticks(axes.low_us, axes.high_us):
        yield svg.line(_LEFT, axes.y(us), right, axes.y(us), "grid")
        yield svg.text(_LEFT - 10, axes.y(us) + 4, f"{us:,.10g}", "tick", "end")
    for n in svg.log_ticks(axes.few, axes.many) or [axes.few]:
        yield svg.line(axes.x(n), _TOP, axes.x(n), bottom, "grid")
        yield svg.text(axes.x(n), bottom + 20, f"{n:,.10g}", "tick", "middle")
    yield svg.text((_LEFT + right) / 2, _HEIGHT - 8, "candidates in a call (log scale)", "axis", "middle")
    yield svg.text(_LEFT - 56, _TOP - 16, "median time of a call, µs (log scale)", "axis")


def _line(axes: _Axes, engine: BenchedEngine, tone: str) -> Iterator[str]:
    places = [(axes.x(times.n_candidates), axes.y(times.median_us)) for times in engine.times]
    yield svg.path(places, f"curve {tone}{'' if engine.exact else ' lossy'}")
    for x, y in places:
        yield svg.dot(x, y, f"mark {tone}")


def _apart(axes: _Axes, timed: list[BenchedEngine]) -> list[tuple[float, int, BenchedEngine]]:
    """Heights of the names at the lines' ends, from the top down, moved until none covers another."""
    ends = sorted((axes.y(engine.times[-1].median_us), tone) for tone, engine in enumerate(timed))
    heights: list[float] = []
    for place, (y, _) in enumerate(ends):
        below = _HEIGHT - _BOTTOM - _LINE * (len(ends) - 1 - place)  # leaves room for those after it
        heights.append(max(min(y, below), heights[-1] + _LINE if heights else -math.inf))
    return [(height, tone, timed[tone]) for height, (_, tone) in zip(heights, ends, strict=True)]


def _in_words(timed: list[BenchedEngine]) -> str:
    said = (
        f"{engine.engine}: "
        + ", ".join(f"{numbers.us(times.median_us)} for {times.n_candidates:,}" for times in engine.times)
        for engine in timed
    )
    return f"{'; '.join(said)}."
