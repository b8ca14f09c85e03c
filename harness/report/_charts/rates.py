"""Latency against offered load, both axes logarithmic, with the SLA, the capacity and the knee.

On such axes a latency that grows as fast as the load rises at 45 degrees: the knee is where it turns steeper than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from harness.records import CapacityPoint, TargetCapacity, VerdictStatus
from harness.report import _numbers as numbers
from harness.report._charts.chart import (
    COMPRESSED,
    DOUBT,
    INK,
    SHEET,
    TEACHER,
    Chart,
    Layer,
    labels,
    layer,
    limits_across,
    log_axis,
    named_colours,
    rounded,
    tips,
)

_SHAPES = {
    VerdictStatus.PASS: "circle",
    VerdictStatus.FAIL: "cross",
    VerdictStatus.INCONCLUSIVE: "diamond",
    VerdictStatus.INVALID: "triangle-up",
}
_CAPTION = (
    "Each point is one load test with its verdict; the shaded rates lie between the highest that passed and the lowest "
    "that failed. What was not answered lies at the upper edge."
)


def latency_against_load(capacity: TargetCapacity) -> Chart | None:
    """p50 and p99 at each offered rate; None where nothing was answered."""
    points = sorted(capacity.points, key=lambda point: point.offered_qps)
    known = [ms for point in points for ms in _both(point).values() if 0 < ms < math.inf]
    if not known:
        return None
    limits = {
        result.name.removesuffix("_ms"): result.limit for result in points[0].objectives if result.name.endswith("_ms")
    }
    edges = [*known, *limits.values()]
    low, high = rounded(min(edges) / 1.3), rounded(max(edges) * 1.3)
    x = log_axis("qps", "offered requests per second", points[0].offered_qps / 1.2, points[-1].offered_qps * 1.2)
    y = log_axis("ms", "latency from the due time, ms", low, high)
    rows = [row for point in points for row in _rows(point, low, high)]
    series = named_colours(["p50", "p99"], [TEACHER, COMPRESSED], "percentile")
    point = {"type": "point", "filled": True, "size": 110, "opacity": 1, "stroke": SHEET, "strokeWidth": 1.5}
    shape = {
        "field": "verdict",
        "type": "nominal",
        "scale": {"domain": [str(status) for status in _SHAPES], "range": list(_SHAPES.values())},
        "legend": {"symbolFillColor": INK, "symbolStrokeColor": INK},
    }
    under = {"rate": "offered", "percentile": "percentile", "shown": "latency", "verdict": "verdict"}
    trusted = [row for row in rows if row["verdict"] != VerdictStatus.INVALID]
    return Chart(
        name=f"rates-{capacity.target}",
        title=f"Latency against offered load: {capacity.target}",
        words=_in_words(capacity, points),
        layers=(
            *_band(capacity, x),
            layer(trusted, "line", x=x, y=y, **series),
            layer(rows, point, x=x, y=y, color=series["color"], shape=shape, tooltip=tips(**under)),
            *limits_across(limits, y),
            *_marks(capacity, x),
        ),
        caption=_CAPTION,
        height=380,
    )


def _both(point: CapacityPoint) -> dict[str, float]:
    return {name: point.measure.latency_ms[name] for name in ("p50", "p99")}


def _rows(point: CapacityPoint, low: float, high: float) -> Iterator[dict[str, Any]]:
    for name, ms in _both(point).items():
        yield {
            "qps": rounded(point.offered_qps),
            "rate": numbers.figure(point.offered_qps, "/s"),
            "percentile": name,
            "ms": rounded(min(max(ms, low), high)),
            "shown": numbers.ms(ms),
            "verdict": str(point.status),
        }


def _band(capacity: TargetCapacity, x: dict[str, Any]) -> tuple[Layer, ...]:
    if not capacity.lower_qps or math.isinf(capacity.upper_qps):
        return ()
    rows = [{"qps": capacity.lower_qps, "end": capacity.upper_qps}]
    return (layer(rows, {"type": "rect", "color": DOUBT, "opacity": 0.16}, x=x, x2={"field": "end"}),)


def _marks(capacity: TargetCapacity, x: dict[str, Any]) -> Iterator[Layer]:
    """Upright lines, their names at different heights."""
    for label, qps, y in (("knee", capacity.knee_qps, 0), ("capacity", capacity.estimate_qps, 18)):
        if not math.isnan(qps):
            rows = [{"qps": rounded(qps), "label": f"{label} {numbers.figure(qps, '/s')}"}]
            text = {"align": "left", "baseline": "top", "dx": 6, "fontWeight": 600}
            yield layer(rows, {"type": "rule", "color": INK, "strokeWidth": 1.5}, x=x)
            yield from labels(rows, text, x=x, y={"value": y})


def _in_words(capacity: TargetCapacity, points: list[CapacityPoint]) -> str:
    said = [
        f"{numbers.figure(point.offered_qps)} requests/s: p50 {numbers.ms(point.measure.latency_ms['p50'])}, "
        f"p99 {numbers.ms(point.measure.latency_ms['p99'])}, {point.status}"
        for point in points
    ]
    return f"{'; '.join(said)}. Capacity about {numbers.figure(capacity.estimate_qps)} requests/s."
