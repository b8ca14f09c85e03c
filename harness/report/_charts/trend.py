"""One figure of a scenario over its runs, with each run's own bounds and the noise band of the newest."""

from __future__ import annotations

import math
from typing import Any

from harness.history.point import MEASURES
from harness.history.series import Series
from harness.report import _history as told
from harness.report._charts.chart import (
    COMPRESSED,
    DOUBT,
    LIMIT,
    SHEET,
    SOFT,
    Chart,
    layer,
    quantitative,
    rounded,
    tips,
)

_AXES = {
    "p50_ms": "p50 latency, ms",
    "p99_ms": "p99 latency, ms",
    "capacity_qps": "capacity, requests/s",
    "ndcg": "NDCG",
    "ndcg_drop": "NDCG lost",
    "size_mb": "size, MB",
}


def trend_charts(series: Series, place: int) -> list[Chart]:
    """The measures that two or more runs of the series at `place` on its page have."""
    return [chart for measure in MEASURES if (chart := _trend(series, measure, place)) is not None]


def _trend(series: Series, measure: str, place: int) -> Chart | None:
    known = [(number, point) for number, point in enumerate(series.points, 1) if point.trusted(measure).known]
    rows = [_row(number, point.run, point.created, measure, point.figure(measure)) for number, point in known]
    finite = [row for row in rows if math.isfinite(row["value"])]
    if len(rows) < 2 or not finite:
        return None
    band = series.bands.get(measure)
    last = len(series.points)
    values = [row[key] for row in finite for key in ("value", "lower", "upper") if key in row]
    x = quantitative(
        "n", "run, oldest first", scale={"domain": [0.5, last + 0.5], "nice": False},
        axis={"tickMinStep": 1, "format": "d", "grid": False},
    )  # fmt: skip
    y = quantitative("value", _AXES[measure], scale={"zero": False, "domain": _domain(values)})
    bounded = [row for row in finite if "lower" in row]
    out = bool(band and band.newest != "within")
    for row in finite:
        row["mark"] = "outside" if out and row["n"] == known[-1][0] else "run"
    shape = {"field": "mark", "type": "nominal", "legend": None}
    names = ["run", "outside"]
    under = tips(run="run", when="measured", shown="figure", bounds="its own bounds")
    layers = [
        layer(finite, {"type": "line", "color": COMPRESSED}, x=x, y=y),
        layer(bounded, {"type": "rule", "color": SOFT}, x=x, y=y | {"field": "lower"}, y2={"field": "upper"}),
        layer(
            finite, {"type": "point", "filled": True, "size": 90, "opacity": 1, "stroke": SHEET}, x=x, y=y,
            tooltip=under,
            shape=shape | {"scale": {"domain": names, "range": ["circle", "diamond"]}},
            color=shape | {"scale": {"domain": names, "range": [COMPRESSED, LIMIT]}},
        ),
    ]  # fmt: skip
    if band is not None:
        box = [{"n": last - 0.4, "to": last + 0.4, "value": rounded(band.low), "high": rounded(band.high)}]
        rect = {"type": "rect", "color": DOUBT, "opacity": 0.28, "clip": True}
        layers.insert(0, layer(box, rect, x=x, x2={"field": "to"}, y=y, y2={"field": "high"}))
    return Chart(
        name=f"trend-{place}-{measure.replace('_', '-')}",
        title=MEASURES[measure].name,
        words="; ".join(f"{row['when']}: {row['shown']}" for row in rows) + ".",
        layers=tuple(layers),
        caption=f"Shaded: the noise band, {told.band_text(measure, band)}." if band else "",
        height=200,
        width=430,
    )


def _row(number: int, run: str, created: str, measure: str, figure: Any) -> dict[str, Any]:
    bounds = {}
    if math.isfinite(figure.lower) and math.isfinite(figure.upper) and figure.lower < figure.upper:
        bounds = {"lower": rounded(figure.lower), "upper": rounded(figure.upper)}
    either = f"{told.shown(measure, figure.lower)} to {told.shown(measure, figure.upper)}" if bounds else "–"
    value = rounded(figure.value) if math.isfinite(figure.value) else figure.value
    return {
        "n": number, "run": run, "when": told.when(created), "value": value, "shown": told.shown(measure, figure.value),
        "bounds": either, **bounds,
    }  # fmt: skip


def _domain(values: list[float]) -> list[float]:
    """From the lowest to the highest figure, with so much room that a small change stays small."""
    low, high = min(values), max(values)
    room = max(0.1 * (high - low), 0.05 * abs(high), 1e-4)
    return [rounded(low - room), rounded(high + room)]
