"""The ledger as waterfalls: what each step of the recipe took off quality, size and engine time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.records import LedgerRow, NdcgSpec
from harness.report import _numbers as numbers
from harness.report._charts.chart import (
    COMPRESSED,
    CONTROL,
    INK,
    SHEET,
    SOFT,
    TEACHER,
    Chart,
    Layer,
    layer,
    quantitative,
    rounded,
    tips,
)

CAPTION = (
    "From the teacher at the top to what is served at the bottom; each bar begins where the one above it ended. "
    "Diamonds: the cheap control of that step at the same size. Whiskers: 95 % bounds."
)


@dataclass(frozen=True)
class _Measure:
    name: str
    title: str
    value: Callable[[LedgerRow], float]
    shown: numbers.Shown
    bounds: Callable[[LedgerRow], tuple[float, float]] = lambda _: (math.nan, math.nan)
    axis: str = "format(datum.value, '~g')"


def waterfalls(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> tuple[Chart, ...]:
    """A chart for each measure that is known of every step; none where there is nothing to compare."""
    measures = (
        _Measure(
            "lost", f"NDCG@{ndcg.k} lost", lambda row: row.quality.drop, numbers.quality,
            lambda row: (row.quality.drop_lower, row.quality.drop_upper),
        ),
        _Measure(
            "size", "Size on disk", lambda row: row.size.disk_bytes or math.nan, numbers.size,
            axis="format(datum.value / 1e6, '~g') + ' MB'",
        ),
        _Measure(
            "engine", "Engine time, p50", lambda row: row.engine_us, numbers.us,
            axis="format(datum.value / 1e3, '~g') + ' ms'",
        ),
    )  # fmt: skip
    found = [measure for measure in measures if all(math.isfinite(measure.value(row)) for row in ledger)]
    return tuple(_waterfall(measure, ledger) for measure in found) if len(ledger) > 1 else ()


def _waterfall(measure: _Measure, ledger: tuple[LedgerRow, ...]) -> Chart:
    rows = list(_rows(measure, ledger))
    most = max(max(row["right"], row.get("at", 0.0)) for row in rows)
    scale = {"domainMax": rounded(1.55 * most)} if most > 0 else {}
    x = quantitative("end", None, scale=scale, axis={"labelExpr": measure.axis, "tickCount": 4})
    y = {
        "field": "step",
        "type": "ordinal",
        "title": None,
        "scale": {"domain": [row["step"] for row in rows], "paddingInner": 0.35, "paddingOuter": 0.2},
        "axis": {"ticks": False, "domain": False, "labelColor": INK, "labelLimit": 125, "grid": False},
    }
    colour = {
        "field": "kind", "type": "nominal", "legend": None,
        "scale": {"domain": ["teacher", "step", "served"], "range": [TEACHER, CONTROL, COMPRESSED]},
    }  # fmt: skip
    under = tips(step="step", shown="after it", change="change", control="its control")
    text = {"type": "text", "align": "left", "dx": 6}
    return Chart(
        name=f"waterfall-{measure.name}",
        title=measure.title,
        words="; ".join(f"{row['step']}: {row['shown']}" for row in rows),
        layers=(
            layer(rows[1:], {"type": "tick", "thickness": 1, "color": SOFT}, x=x | {"field": "begin"}, y=y),
            layer(
                rows, {"type": "bar", "cornerRadius": 2}, x=x, x2={"field": "begin"}, y=y, color=colour, tooltip=under
            ),
            layer(rows, {"type": "tick", "thickness": 2}, x=x, y=y, color=colour),
            *_whiskers(rows, x, y),
            *_controls(rows, x, y),
            layer(rows, text, x=x | {"field": "right"}, y=y, text={"field": "label"}),
        ),
        height=34 * len(rows),
        width=400,
    )


def _rows(measure: _Measure, ledger: tuple[LedgerRow, ...]) -> Iterator[dict[str, Any]]:
    """The teacher whole, each step from the value before it, and what is served whole."""
    before = 0.0
    for place, row in enumerate(ledger):
        value = measure.value(row)
        known = _step(measure, row, before, value) if place else {"step": "teacher", "kind": "teacher"}
        yield {**_bar(measure, before, value), **known, **({"step": f"{place}. {row.step}"} if place else {})}
        before = value
    yield {**_bar(measure, 0.0, before), "step": "served", "kind": "served"}


def _bar(measure: _Measure, begin: float, end: float) -> dict[str, Any]:
    """A bar, with its value as text right of it."""
    shown = {"label": measure.shown(end), "shown": measure.shown(end), "change": numbers.NOTHING}
    shown["control"] = numbers.NOTHING
    return {"begin": rounded(begin), "end": rounded(end), "right": rounded(max(begin, end)), **shown}


def _step(measure: _Measure, row: LedgerRow, before: float, value: float) -> dict[str, Any]:
    """What a step has beside its bar: the change it made, bounds, and its control; numbers that are not known are left
    out."""
    change = _change(before, value, measure.shown)
    found: dict[str, Any] = {"kind": "step", "change": change, "label": change}
    lower, upper = measure.bounds(row)
    if math.isfinite(upper):
        found |= {"lower": rounded(lower), "upper": rounded(upper), "right": rounded(max(before, upper))}
    control = measure.value(row.control) if row.control else math.nan
    if math.isfinite(control):
        found |= {"at": rounded(control), "control": measure.shown(control)}
    return found


def _change(before: float, value: float, shown: numbers.Shown) -> str:
    sign = "−" if value < before else "+"
    return f"{sign}{shown(abs(value - before))}" if value != before else "no change"


def _whiskers(rows: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any]) -> tuple[Layer, ...]:
    known = [row for row in rows if "upper" in row]
    whisker = layer(known, {"type": "rule", "color": INK}, x=x | {"field": "lower"}, x2={"field": "upper"}, y=y)
    return (whisker,) if known else ()


def _controls(rows: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any]) -> tuple[Layer, ...]:
    known = [row for row in rows if "at" in row]
    mark = {"type": "point", "shape": "diamond", "fill": SHEET, "stroke": INK, "size": 70, "opacity": 1}
    under = tips(step="control of", control="control")
    return (layer(known, mark, x=x | {"field": "at"}, y=y, tooltip=under),) if known else ()
