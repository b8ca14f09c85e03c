"""Lines of p50 and p99 over the time of a load test, for each target."""

from __future__ import annotations

import math
from typing import Any

from harness.records import SUBJECTS, TEACHER
from harness.report import _numbers as numbers
from harness.report._charts.chart import (
    Layer,
    layer,
    limits_across,
    log_axis,
    named_colours,
    quantitative,
    rounded,
    tips,
)
from harness.report._charts.intervals import Interval
from harness.report._charts.latency import COLOURS

CAPTION = "Percentiles of the requests that were due in each {:g} s, by the time they were due. Thick: p99, thin: p50."


def time_axis() -> dict[str, Any]:
    """Seconds from the start of the load test."""
    return quantitative("s", "seconds from the start of the load test", axis={"grid": False})


def lines(found: list[Interval], what: str, limits: dict[str, float]) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """The layers that are drawn, `limits` (ms, by name) across them, and those to hover.

    What was never answered lies at the upper edge.
    """
    values = [v for one in found for v in (one.p50, one.p99) if 0 < v < math.inf] + [*limits.values()]
    low, high = min(values) / 1.3, max(values) * 1.3
    y = log_axis("ms", what, rounded(low), rounded(high))
    names = [name for name in (*SUBJECTS, TEACHER) if any(one.target == name for one in found)]
    names += sorted({one.target for one in found} - set(names))
    series = named_colours(names, [COLOURS.get(name, "var(--ink)") for name in names])
    width = {
        "field": "percentile",
        "type": "ordinal",
        "scale": {"domain": ["p50", "p99"], "range": [1.2, 2.8]},
        "legend": None,
    }
    rows = [row for one in found for row in _rows(one, low, high)]
    lone = {"type": "point", "filled": True, "size": 14, "opacity": 1}
    place = {"x": time_axis(), "y": y, "color": series["color"]}
    under = {
        "target": "ranker",
        "percentile": "percentile",
        "shown": what.partition(",")[0],
        "at": "at",
        "n": "requests",
    }
    return (
        (
            layer(rows, "line", strokeDash=series["strokeDash"], size=width, detail={"field": "part"}, **place),
            layer(rows, lone, **place),
            *limits_across(limits, y),
        ),
        (layer(rows, {"type": "point", "opacity": 0, "size": 120}, tooltip=tips(**under), **place),),
    )


def _rows(one: Interval, low: float, high: float) -> list[dict[str, Any]]:
    shared = {
        "target": one.target,
        "part": f"{one.target} {one.segment}",
        "s": rounded(one.at_s),
        "at": numbers.figure(one.at_s, "s"),
        "n": f"{one.n:,}" + (f", {one.n_lost:,} not answered" if one.n_lost else ""),
    }
    return [
        {**shared, "percentile": name, "ms": rounded(min(max(value, low), high)), "shown": numbers.ms(value)}
        for name, value in (("p50", one.p50), ("p99", one.p99))
    ]


def in_words(found: list[Interval]) -> str:
    """The range of both percentiles, target by target."""
    said = []
    for target in dict.fromkeys(one.target for one in found):
        own = [one for one in found if one.target == target]
        spans = (
            f"{name} between {numbers.ms(min(values))} and {numbers.ms(max(values))}"
            for name, values in (("p50", [one.p50 for one in own]), ("p99", [one.p99 for one in own]))
        )
        said.append(f"{target}, {len(own)} intervals: {', '.join(spans)}")
    return "; ".join(said) + "."
