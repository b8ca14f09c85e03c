"""Latency distributions as a picture: both axes logarithmic where it matters, so that the tail has room.

x is latency on a log scale; y is the share of requests answered in time, spaced by its nines: 0, 50, 90, 99, 99.9 % ...
An objective is a point; a curve that passes above and left of it meets it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.ranking_data import Floats
from harness.records import SUBJECTS, TEACHER, Report
from harness.report import _numbers as numbers
from harness.report import _svg as svg
from harness.samples import Samples

_WIDTH, _HEIGHT = 860.0, 430.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 66.0, 140.0, 34.0, 52.0
_N_POINTS = 240


@dataclass(frozen=True)
class _Axes:
    """From latency (ms) and nines (-log10 of the share not yet answered) to the picture."""

    low_ms: float
    high_ms: float
    nines: float

    def x(self, ms: float) -> float:
        span = math.log10(self.high_ms / self.low_ms)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log10(ms / self.low_ms) / span

    def y(self, nines: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * min(nines / self.nines, 1.0)


def latency_cdf(report: Report, samples: Samples) -> str:
    """An <svg> of the judged latencies of each target and the latency objectives; empty where nothing was answered."""
    found = {name: np.sort(samples.judged(name).latency_ms) for name in (TEACHER, *SUBJECTS) if name in samples.targets}
    curves = {name: ms for name, ms in found.items() if ms.size and np.isfinite(ms[0])}
    if not curves:
        return ""
    goals = {
        result.name.removesuffix("_ms"): result.limit
        for result in report.verdict.objectives
        if result.name.endswith("_ms")
    }
    axes = _axes(curves, goals)
    parts = [*_grid(axes)]
    for name, limit in goals.items():
        parts += _goal(axes, name, limit)
    for place, (name, ms) in enumerate(curves.items()):
        parts += _curve(axes, name, ms, place)
    return svg.picture("cdf", _WIDTH, _HEIGHT, "Latency distribution", _in_words(curves, goals), parts)


def _axes(curves: dict[str, Floats], goals: dict[str, float]) -> _Axes:
    answered = np.concatenate([ms[np.isfinite(ms)] for ms in curves.values()])
    edges = [*np.maximum([answered.min(), answered.max()], 1e-3), *goals.values()]
    nines = max([math.log10(max(ms.size for ms in curves.values())), *(_nines_of(name) + 0.3 for name in goals), 2.0])
    return _Axes(min(edges) / 1.15, max(edges) * 1.15, nines)


def _nines_of(percentile: str) -> float:
    return -math.log10(1 - float(f"0.{percentile[1:]}"))


def _grid(axes: _Axes) -> list[str]:
    bottom, right = axes.y(0), _WIDTH - _RIGHT
    parts = []
    for share, nines in [(0.0, 0.0), (0.5, math.log10(2)), *((1 - 10.0**-n, float(n)) for n in range(1, 7))]:
        if nines <= axes.nines:
            parts.append(svg.line(_LEFT, axes.y(nines), right, axes.y(nines), "grid"))
            parts.append(svg.text(_LEFT - 10, axes.y(nines) + 4, f"{share * 100:.6g} %", "tick", "end"))
    decades = range(math.floor(math.log10(axes.low_ms)), math.ceil(math.log10(axes.high_ms)) + 1)
    steps = (1, 2, 5) if axes.high_ms / axes.low_ms < 3000 else (1,)
    for ms in (step * 10.0**decade for decade in decades for step in steps):
        if axes.low_ms <= ms <= axes.high_ms:
            parts.append(svg.line(axes.x(ms), _TOP, axes.x(ms), bottom, "grid"))
            parts.append(svg.text(axes.x(ms), bottom + 20, f"{ms:g}", "tick", "middle"))
    middle = (_LEFT + right) / 2
    parts.append(svg.text(middle, _HEIGHT - 8, "latency from the due time, ms (log scale)", "axis", "middle"))
    parts.append(svg.text(_LEFT - 56, _TOP - 16, "share of requests answered by then (the tail is stretched)", "axis"))
    return parts


def _goal(axes: _Axes, name: str, limit_ms: float) -> list[str]:
    x, y = axes.x(limit_ms), axes.y(_nines_of(name))
    return [
        svg.line(x, _TOP, x, axes.y(0), "goal-line"),
        svg.dot(x, y, "goal"),
        svg.text(x + 9, y + 18, f"{name} ≤ {limit_ms:g} ms", "goal-text"),
    ]


def _curve(axes: _Axes, name: str, ms: Floats, place: int) -> list[str]:
    last = math.log10(ms.size)
    nines = np.linspace(0, last, min(_N_POINTS, ms.size))
    ranks = np.minimum(np.ceil(ms.size * (1 - 10.0**-nines)).astype(int), ms.size - 1)
    values = ms[ranks]
    shown = np.isfinite(values)
    points = [
        (axes.x(max(float(v), axes.low_ms)), axes.y(float(n))) for v, n in zip(values[shown], nines[shown], strict=True)
    ]
    right = _WIDTH - _RIGHT
    label_y = _TOP + 14 + 20 * place
    parts = [svg.path(points, f"curve {name}")]
    if not shown.all():
        end = points[-1][1]
        parts.append(svg.path([points[-1], (right, end)], f"lost {name}"))
        parts.append(svg.text(right + 8, end + 4, numbers.UNANSWERED, f"label {name}-text"))
    parts.append(svg.line(right + 12, label_y - 4, right + 38, label_y - 4, f"curve {name}"))
    parts.append(svg.text(right + 44, label_y, name, f"label {name}-text"))
    return parts


def _in_words(curves: dict[str, Floats], goals: dict[str, float]) -> str:
    said = []
    for name, ms in curves.items():
        figures = ", ".join(
            f"{label} {numbers.ms(float(ms[min(math.ceil(q * ms.size), ms.size) - 1]))}"
            for label, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
        )
        said.append(f"{name}: {figures} over {ms.size:,} requests")
    asked = [f"{name} at most {limit:g} ms" for name, limit in goals.items()]
    return f"{'; '.join(said)}. Objectives: {', '.join(asked) or 'none on latency'}."
