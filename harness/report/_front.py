"""A Pareto front as a table, and as a picture of NDCG lost against time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.report import _numbers as numbers
from harness.report import _svg as svg
from harness.report._table import Table
from harness.suite import Front, FrontPoint

_WIDTH, _HEIGHT = 860.0, 360.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 74.0, 24.0, 24.0, 52.0


@dataclass(frozen=True)
class _Axes:
    """Time to the right, logarithmic; NDCG lost upwards."""

    low_us: float
    high_us: float
    low: float
    high: float

    def x(self, us: float) -> float:
        share = math.log(us / self.low_us) / math.log(self.high_us / self.low_us)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share

    def y(self, drop: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (drop - self.low) / (self.high - self.low)


def table(front: Front) -> Table:
    """Fastest first; `–` marks those on the front, the others name what beats them."""
    rows = tuple(
        (
            point.name,
            numbers.quality(point.ndcg_drop),
            numbers.quality(point.drop_upper),
            numbers.us(point.time_us) if math.isfinite(point.time_us) else numbers.ms(point.time_us),
            numbers.size(point.disk_bytes),
            f"dominated by {', '.join(point.dominated_by)}" if point.dominated_by else "on the front",
        )
        for point in sorted(front.points, key=lambda point: point.time_us)
    )
    columns = ("scenario", f"NDCG@{front.ndcg.k} lost", "at most", front.time, "size", "beside the others")
    note = (
        f"One {front.teacher} teacher ({front.teacher_digest[:12]}), the same data, traffic and machine. Dominated: "
        "another run is nowhere worse in NDCG lost, time and size, and somewhere better, by the figures as measured; "
        "differences within the bounds are not decided by that."
        + (" Engine times of different runs were not interleaved." if front.time.startswith("engine") else "")
    )
    return Table("Pareto front: quality, time, size", columns, rows, wide=(5,), note=note)


def picture(front: Front, place: int) -> str:
    """An <svg>, the front joined; empty where fewer than two points have finite figures."""
    points = [point for point in front.points if 0 < point.time_us < math.inf]
    if len(points) < 2:
        return ""
    axes = _axes(points)
    best = sorted((point for point in points if not point.dominated_by), key=lambda point: point.time_us)
    parts = [
        *_grid(axes, front),
        svg.path(((axes.x(p.time_us), axes.y(p.ndcg_drop)) for p in best), "curve compressed"),
    ]
    for point in points:
        parts += _mark(axes, point)
    title = f"NDCG@{front.ndcg.k} lost against {front.time}"
    return svg.picture(f"front-{place}", _WIDTH, _HEIGHT, title, _in_words(front), parts)


def _axes(points: list[FrontPoint]) -> _Axes:
    times = [point.time_us for point in points]
    edges = [0.0, *(drop for point in points for drop in (point.ndcg_drop, point.drop_upper, point.drop_lower))]
    room = 0.08 * (max(edges) - min(edges)) or 0.001
    return _Axes(min(times) / 1.3, max(times) * 1.3, min(edges) - room, max(edges) + room)


def _grid(axes: _Axes, front: Front) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for us in _time_ticks(axes.low_us, axes.high_us):
        yield svg.line(axes.x(us), _TOP, axes.x(us), bottom, "grid")
        yield svg.text(axes.x(us), bottom + 20, numbers.us(us), "tick", "middle")
    for drop in _round_ticks(axes.low, axes.high):
        yield svg.line(_LEFT, axes.y(drop), right, axes.y(drop), "grid")
        yield svg.text(_LEFT - 10, axes.y(drop) + 4, f"{drop:.4g}", "tick", "end")
    yield svg.text((_LEFT + right) / 2, _HEIGHT - 8, f"{front.time} (log scale)", "axis", "middle")
    yield svg.text(0, 14, f"NDCG@{front.ndcg.k} lost", "axis")


def _mark(axes: _Axes, point: FrontPoint) -> Iterator[str]:
    x, y = axes.x(point.time_us), axes.y(point.ndcg_drop)
    yield svg.line(x, axes.y(point.drop_lower), x, axes.y(point.drop_upper), "bound")
    yield svg.dot(x, y, "dominated" if point.dominated_by else "on-front")
    right = x > (_LEFT + _WIDTH - _RIGHT) / 2
    css = "small" if point.dominated_by else "label"
    if right:  # below the falling curve to the left, above it to the right
        yield svg.text(x - 9, y + 16, point.name, css, "end")
    else:
        yield svg.text(x + 9, y - 6, point.name, css)


def _time_ticks(low: float, high: float) -> list[float]:
    few = svg.log_ticks(low, high)
    return few if len(few) > 2 else _round_ticks(low, high)


def _round_ticks(low: float, high: float) -> list[float]:
    """Four to nine multiples of 1, 2 or 5 times a power of ten."""
    decade = 10.0 ** math.floor(math.log10((high - low) / 8))
    step = next(factor * decade for factor in (1, 2, 5, 10) if factor * decade * 8 >= high - low)
    return [multiple * step for multiple in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _in_words(front: Front) -> str:
    return "; ".join(
        f"{point.name}: {numbers.quality(point.ndcg_drop)} lost at {numbers.us(point.time_us)}, "
        f"{numbers.size(point.disk_bytes)}"
        + (f", dominated by {', '.join(point.dominated_by)}" if point.dominated_by else ", on the front")
        for point in front.points
    )
