"""Latency distributions: both axes logarithmic where it matters, so that the tail has room.

x is latency; y is the share of requests answered in time, spaced by its nines: 0, 50, 90, 99, 99.9 % ...
An objective is a point; a curve that passes above and left of it meets it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.ranking_data import Floats
from harness.records import SUBJECTS, TEACHER, Report
from harness.report import _numbers as numbers
from harness.report._charts.chart import (
    COMPRESSED,
    LIMIT,
    SHEET,
    Chart,
    Layer,
    labels,
    layer,
    log_axis,
    named_colours,
    quantitative,
    rounded,
    tips,
)
from harness.report._charts.chart import TEACHER as TEACHER_COLOUR
from harness.samples import Samples

COLOURS = {TEACHER: TEACHER_COLOUR, **dict.fromkeys(SUBJECTS, COMPRESSED)}
_N_POINTS = 160
_CAPTION = (
    "A curve that passes above and left of an objective’s point meets it. Requests that failed or were never sent "
    "never finish."
)


def latency_cdf(report: Report, samples: Samples) -> Chart | None:
    """The judged latencies of each target and the latency objectives; None where nothing was answered."""
    sides = [name for name in (*SUBJECTS, TEACHER) if name in samples.targets]
    found = {name: np.sort(samples.judged(name).latency_ms) for name in sides}
    curves = {name: ms for name, ms in found.items() if ms.size and np.isfinite(ms[0])}
    if not curves:
        return None
    goals = latency_limits(report)
    low, high = _edges(curves, goals)
    deepest = max([math.log10(max(ms.size for ms in curves.values())), *(_nines(name) + 0.3 for name in goals), 2.0])
    x = log_axis("ms", "latency from the due time, ms", low, high)
    y = _share_axis(deepest)
    rows = [row for name, ms in curves.items() for row in _curve(name, ms, low)]
    series = named_colours(list(curves), [COLOURS[name] for name in curves])
    under = {"target": "ranker", "shown": "latency", "share": "answered by then"}
    return Chart(
        name="latency",
        title="Latency distribution",
        words=_in_words(curves, goals),
        layers=(
            *_goals(goals, x, y),
            *_lost(curves, rows, high, x, y, series),
            layer(rows, "line", x=x, y=y, order={"field": "nines"}, **series),
        ),
        hover=(layer(rows, {"type": "point", "opacity": 0, "size": 120}, x=x, y=y, tooltip=tips(**under)),),
        caption=_CAPTION,
        height=380,
    )


def latency_limits(report: Report) -> dict[str, float]:
    """The limits in ms by percentile (`p99`), in the order of the SLA."""
    found = report.verdict.objectives
    return {result.name.removesuffix("_ms"): result.limit for result in found if result.name.endswith("_ms")}


def _edges(curves: dict[str, Floats], goals: dict[str, float]) -> tuple[float, float]:
    answered = [ms[np.isfinite(ms)] for ms in curves.values()]
    known = [*goals.values(), *(max(float(edge), 1e-3) for ms in answered for edge in (ms[0], ms[-1]))]
    return min(known) / 1.15, max(known) * 1.15


def _nines(percentile: str) -> float:
    return -math.log10(1 - float(f"0.{percentile[1:]}"))


def _share_axis(deepest: float) -> dict[str, Any]:
    ticks = [0.0, math.log10(2), *(float(n) for n in range(1, 7))]
    return quantitative(
        "nines",
        "requests answered by then (tail stretched)",
        scale={"domain": [0, rounded(deepest)], "nice": False},
        axis={
            "values": [tick for tick in ticks if tick <= deepest],
            "labelExpr": "format(100 * (1 - pow(10, -datum.value)), '.6~r') + ' %'",
        },
    )


def _curve(name: str, ms: Floats, low: float) -> Iterator[dict[str, Any]]:
    """Points that are evenly spread over the nines; where requests were lost the curve ends before."""
    nines = np.linspace(0, math.log10(ms.size), min(_N_POINTS, ms.size))
    shares = 1 - 10.0**-nines
    values = ms[np.minimum(np.ceil(ms.size * shares).astype(int), ms.size - 1)]
    for value, deep, share in zip(values.tolist(), nines.tolist(), shares.tolist(), strict=True):
        if math.isfinite(value):
            said = {"shown": numbers.ms(value), "share": f"{100 * share:.{max(0, math.ceil(deep) - 1)}f} %"}
            yield {"target": name, "ms": rounded(max(value, low)), "nines": rounded(deep), **said}


def _goals(goals: dict[str, float], x: dict[str, Any], y: dict[str, Any]) -> tuple[Layer, ...]:
    rows = [
        {"ms": limit, "nines": rounded(_nines(name)), "label": f"{name} ≤ {limit:g} ms"}
        for name, limit in goals.items()
    ]
    point = {
        "type": "point",
        "filled": True,
        "fill": SHEET,
        "stroke": LIMIT,
        "strokeWidth": 2.5,
        "size": 90,
        "opacity": 1,
    }
    text = {"align": "left", "dx": 10, "dy": 14, "color": LIMIT, "fontWeight": 600}
    return (
        layer(rows, {"type": "rule", "color": LIMIT, "strokeDash": [4, 3], "strokeWidth": 1.5}, x=x),
        layer(rows, point, x=x, y=y),
        *labels(rows, text, x=x, y=y),
    )


def _lost(
    curves: dict[str, Floats], rows: list[dict[str, Any]], high: float, x: dict[str, Any], y: dict[str, Any],
    series: dict[str, Any],
) -> tuple[Layer, ...]:  # fmt: skip
    """A dotted line from where a curve ends for good to the right edge."""
    ends = {row["target"]: row for row in rows}
    open_ends = [ends[name] | {"end": rounded(high)} for name, ms in curves.items() if np.isinf(ms[-1])]
    if not open_ends:
        return ()
    text = {"type": "text", "align": "right", "baseline": "bottom", "dy": -5}
    return (
        layer(open_ends, {"type": "rule", "strokeWidth": 1.5}, x=x, x2={"field": "end"}, y=y, **series),
        layer(
            open_ends, text, x=x | {"field": "end"}, y=y, color=series["color"], text={"value": numbers.UNANSWERED},
        ),
    )  # fmt: skip


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
