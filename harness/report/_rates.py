"""Latency against offered load as a picture, both axes logarithmic, with the SLA, the capacity and the knee.

On such axes a latency that grows as fast as the load rises at 45 degrees: the knee is where it turns steeper than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.records import CapacityPoint, TargetCapacity, VerdictStatus
from harness.report import _numbers as numbers
from harness.report import _svg as svg
from harness.report._table import MARKS

_WIDTH, _HEIGHT = 860.0, 430.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 66.0, 140.0, 34.0, 52.0
_CURVES = (("p50", "teacher"), ("p99", "compressed"))  # percentile, and the class that colours it


@dataclass(frozen=True)
class _Axes:
    low_qps: float
    high_qps: float
    low_ms: float
    high_ms: float

    def x(self, qps: float) -> float:
        share = math.log(qps / self.low_qps) / math.log(self.high_qps / self.low_qps)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(share, 0.0), 1.0)

    def y(self, ms: float) -> float:
        share = math.log(min(ms, self.high_ms) / self.low_ms) / math.log(self.high_ms / self.low_ms)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * max(share, 0.0)


def latency_against_load(capacity: TargetCapacity) -> str:
    """An <svg> of p50 and p99 at each offered rate; empty where nothing was answered."""
    points = sorted(capacity.points, key=lambda point: point.offered_qps)
    known = [ms for point in points for name, _ in _CURVES if 0 < (ms := point.measure.latency_ms[name]) < math.inf]
    if not known:
        return ""
    limits = {
        result.name.removesuffix("_ms"): result.limit for result in points[0].objectives if result.name.endswith("_ms")
    }
    edges = [*known, *limits.values()]
    axes = _Axes(points[0].offered_qps / 1.2, points[-1].offered_qps * 1.2, min(edges) / 1.3, max(edges) * 1.3)
    parts = [*_band(axes, capacity), *_grid(axes)]
    for name, limit in limits.items():
        parts += _limit(axes, name, limit)
    parts += _marks(axes, capacity)
    for place, (name, css) in enumerate(_CURVES):
        parts += _curve(axes, points, name, css)
        parts += _legend(name, css, _HEIGHT - _BOTTOM - 10 - 20 * place)
    name, title = f"rates-{capacity.target}", f"Latency against offered load: {capacity.target}"
    return svg.picture(name, _WIDTH, _HEIGHT, title, _in_words(capacity, points), parts)


def _band(axes: _Axes, capacity: TargetCapacity) -> Iterator[str]:
    if capacity.lower_qps and math.isfinite(capacity.upper_qps):
        left, right = axes.x(capacity.lower_qps), axes.x(capacity.upper_qps)
        yield svg.bar(left, _TOP, right - left, _HEIGHT - _TOP - _BOTTOM, "band")


def _grid(axes: _Axes) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for ms in svg.log_ticks(axes.low_ms, axes.high_ms):
        yield svg.line(_LEFT, axes.y(ms), right, axes.y(ms), "grid")
        yield svg.text(_LEFT - 10, axes.y(ms) + 4, f"{ms:g}", "tick", "end")
    for qps in svg.log_ticks(axes.low_qps, axes.high_qps):
        yield svg.line(axes.x(qps), _TOP, axes.x(qps), bottom, "grid")
        yield svg.text(axes.x(qps), bottom + 20, f"{qps:g}", "tick", "middle")
    yield svg.text((_LEFT + right) / 2, _HEIGHT - 8, "offered requests per second (log scale)", "axis", "middle")
    yield svg.text(_LEFT - 56, _TOP - 16, "latency from the due time, ms (log scale)", "axis")


def _limit(axes: _Axes, name: str, limit_ms: float) -> Iterator[str]:
    right = _WIDTH - _RIGHT
    yield svg.line(_LEFT, axes.y(limit_ms), right, axes.y(limit_ms), "goal-line")
    yield svg.text(right + 8, axes.y(limit_ms) + 4, f"{name} ≤ {limit_ms:g} ms", "goal-text")


def _marks(axes: _Axes, capacity: TargetCapacity) -> Iterator[str]:
    for label, qps, y in (("knee", capacity.knee_qps, 14.0), ("capacity", capacity.estimate_qps, 30.0)):
        if not math.isnan(qps):
            yield svg.line(axes.x(qps), _TOP, axes.x(qps), _HEIGHT - _BOTTOM, "bound")
            yield svg.text(axes.x(qps) + 6, _TOP + y, f"{label} {numbers.figure(qps)}", "label")


def _curve(axes: _Axes, points: list[CapacityPoint], name: str, css: str) -> Iterator[str]:
    """The trusted points joined, and every point with the mark of its verdict; what was not answered is at the top."""
    trusted = [point for point in points if point.status is not VerdictStatus.INVALID]
    if trusted:
        places = [(axes.x(point.offered_qps), axes.y(point.measure.latency_ms[name])) for point in trusted]
        yield svg.path(places, f"curve {css}")
    for point in points:
        x, y = axes.x(point.offered_qps), axes.y(point.measure.latency_ms[name])
        yield svg.dot(x, y, f"point {point.status.value.lower()}")
        if name == "p99":
            yield svg.text(x, y - 10, MARKS[point.status], "label", "middle")


def _legend(name: str, css: str, y: float) -> Iterator[str]:
    right = _WIDTH - _RIGHT
    yield svg.line(right + 12, y - 4, right + 38, y - 4, f"curve {css}")
    yield svg.text(right + 44, y, name, f"label {css}-text")


def _in_words(capacity: TargetCapacity, points: list[CapacityPoint]) -> str:
    said = [
        f"{numbers.figure(point.offered_qps)} requests/s: p50 {numbers.ms(point.measure.latency_ms['p50'])}, "
        f"p99 {numbers.ms(point.measure.latency_ms['p99'])}, {point.status}"
        for point in points
    ]
    return f"{'; '.join(said)}. Capacity about {numbers.figure(capacity.estimate_qps)} requests/s."
