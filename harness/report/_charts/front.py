"""A Pareto front: NDCG lost against time, the runs that no other beats joined."""

from __future__ import annotations

import math

from harness.report import _numbers as numbers
from harness.report._charts.chart import (
    COMPRESSED,
    CONTROL,
    INK,
    SHEET,
    SOFT,
    Chart,
    layer,
    log_axis,
    quantitative,
    rounded,
    tips,
)
from harness.suite import Front

MICROSECONDS = "datum.value >= 1000 ? format(datum.value / 1000, ',~g') + ' ms' : format(datum.value, ',~g') + ' µs'"
_FRONT, _DOMINATED = "on the front", "dominated"
_NAMED_UP_TO = 15
_CAPTION = (
    "Lower and further left is better. The line joins the runs that no other beats, size included; upright lines: 95 % "
    "bounds."
)


def front_chart(front: Front, place: int) -> Chart | None:
    """The chart of the front at `place` on its page; None where fewer than two runs have finite figures."""
    points = sorted((one for one in front.points if 0 < one.time_us < math.inf), key=lambda one: one.time_us)
    if len(points) < 2:
        return None
    rows = [
        {
            "us": rounded(one.time_us), "lost": rounded(one.ndcg_drop), "name": one.name,
            "lower": rounded(one.drop_lower), "upper": rounded(one.drop_upper), "time": numbers.us(one.time_us),
            "shown": f"{numbers.quality(one.ndcg_drop)}, at most {numbers.quality(one.drop_upper)}",
            "size": numbers.size(one.disk_bytes), "beside": _DOMINATED if one.dominated_by else _FRONT,
        }
        for one in points
    ]  # fmt: skip
    best = [row for row in rows if row["beside"] == _FRONT]
    named = rows if len(rows) <= _NAMED_UP_TO else best
    x = log_axis("us", front.time, points[0].time_us / 1.3, points[-1].time_us * 1.6, labelExpr=MICROSECONDS)
    y = quantitative("lost", f"NDCG@{front.ndcg.k} lost", scale={})
    kinds = [_FRONT, _DOMINATED]
    kind = {"field": "beside", "type": "nominal"}
    point = {"type": "point", "size": 110, "opacity": 1, "strokeWidth": 2}
    under = tips(name="scenario", shown="NDCG lost", time=front.time, size="size", beside="beside the others")
    return Chart(
        name=f"front-{place}",
        title=f"NDCG@{front.ndcg.k} lost against {front.time}",
        words=_in_words(front),
        layers=(
            layer(best, {"type": "line", "color": COMPRESSED}, x=x, y=y),
            layer(rows, {"type": "rule", "color": SOFT}, x=x, y=y | {"field": "lower"}, y2={"field": "upper"}),
            layer(
                rows, point, x=x, y=y, tooltip=under,
                fill=kind | {"scale": {"domain": kinds, "range": [COMPRESSED, SHEET]}},
                stroke=kind | {"scale": {"domain": kinds, "range": [COMPRESSED, CONTROL]}},
                shape=kind | {"scale": {"domain": kinds, "range": ["circle", "square"]}},
            ),
            layer(named, {"type": "text", "align": "left", "dx": 10, "dy": -8, "color": INK}, x=x, y=y,
                  text={"field": "name"}),
        ),
        caption=_CAPTION,
        height=340,
    )  # fmt: skip


def _in_words(front: Front) -> str:
    return "; ".join(
        f"{point.name}: {numbers.quality(point.ndcg_drop)} lost at {numbers.us(point.time_us)}, "
        f"{numbers.size(point.disk_bytes)}"
        + (f", dominated by {', '.join(point.dominated_by)}" if point.dominated_by else ", on the front")
        for point in front.points
    )
