"""What a chart is, and the pieces that several charts have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.printable import printable

Layer = dict[str, Any]
"""A layer of a Vega-Lite view: data, mark and encoding."""

COMPRESSED, TEACHER, LIMIT, CONTROL = "var(--new)", "var(--old)", "var(--fail)", "var(--control)"
INK, SOFT, LINE, DOUBT, SHEET = "var(--ink)", "var(--soft)", "var(--line)", "var(--doubt)", "var(--sheet)"

_CONFIG = {
    "aria": False,  # the figure around it speaks for the whole
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": LINE, "gridColor": LINE, "tickColor": LINE, "labelColor": SOFT, "titleColor": SOFT,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 10, "labelPadding": 6,
        "labelOverlap": "greedy",
    },
    "legend": {
        "orient": "top", "title": None, "labelColor": INK, "labelFontSize": 13, "symbolSize": 140, "labelLimit": 320,
        "symbolStrokeWidth": 2.5, "offset": 6, "columnPadding": 24,
    },
    "text": {"color": INK, "fontSize": 12},
    "line": {"strokeWidth": 2.5, "strokeJoin": "round"},
}  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """A picture: what it shows and how to read it.

    name: unique on its page, fit for an id; words: the text alternative; layers: Vega-Lite layers, from the back;
    hover: layers that only a pointer meets, which a drawing that stands still does without; height, width: in pixels,
    the latter of a drawing that stands still, by which its text is as large as that around it.
    """

    name: str
    title: str
    words: str
    layers: tuple[Layer, ...]
    hover: tuple[Layer, ...] = ()
    caption: str = ""
    height: int = 320
    width: int = 860

    def spec(self, *, live: bool) -> dict[str, Any]:
        """The specification: as wide as what holds it and with the layers of `hover`, or still and without them."""
        spec = {
            "width": "container" if live else self.width,
            "height": self.height,
            "background": None,
            "autosize": {"type": "fit", "contains": "padding"},
            "config": _CONFIG,
            "layer": [*self.layers, *(self.hover if live else ())],
        }
        return dict(_printable(spec))


def layer(rows: Iterable[dict[str, Any]], mark: str | dict[str, Any], **encoding: Any) -> Layer:
    """A layer of its own data."""
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def quantitative(field: str, title: str | None = None, **more: Any) -> dict[str, Any]:
    """A position channel of numbers on a linear scale that need not hold zero, or of whatever `scale` says."""
    return {"field": field, "type": "quantitative", "title": title, "scale": {"zero": False}} | more


def log_axis(field: str, title: str, low: float, high: float, **axis: Any) -> dict[str, Any]:
    """A position channel on a log scale between two positive numbers, with round ticks."""
    return quantitative(
        field,
        f"{title} (log scale)",
        scale={"type": "log", "domain": [low, high], "nice": False},
        axis={"values": log_ticks(low, high), "format": ",.10~g"} | axis,
    )


def named_colours(names: Sequence[str], colours: Sequence[str], field: str = "target") -> dict[str, Any]:
    """Channels that tell series apart, by colour and by dashes, with one legend for both."""
    dashes = [[1, 0], [7, 4], [2, 3], [9, 3, 2, 3]]
    legend = {"symbolType": "stroke"}
    scales = (("color", list(colours)), ("strokeDash", [dashes[place % len(dashes)] for place in range(len(names))]))
    return {
        channel: {
            "field": field,
            "type": "nominal",
            "scale": {"domain": list(names), "range": values},
            "legend": legend if len(names) > 1 else None,
        }
        for channel, values in scales
    }


def tips(**fields: str) -> list[dict[str, str]]:
    """What stands under the pointer: titles by field name; values are text that is ready to be read."""
    return [{"field": field, "title": title, "type": "nominal"} for field, title in fields.items()]


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones: 1, 2 and 5 of each decade, or the decades alone where they are many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 3000 else (1,)
    ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return [tick for tick in ticks if low <= tick <= high]


def labels(rows: list[dict[str, Any]], text: dict[str, Any], **place: Any) -> tuple[Layer, Layer]:
    """The text of the field `label`, on a rim that keeps it apart from the lines below it."""
    rim = text | {"type": "text", "color": SHEET, "stroke": SHEET, "strokeWidth": 4, "strokeJoin": "round"}
    field = {"field": "label"}
    return layer(rows, rim, text=field, **place), layer(rows, text | {"type": "text"}, text=field, **place)


def limits_across(limits: dict[str, float], y: dict[str, Any]) -> tuple[Layer, ...]:
    """A dashed line with its name for each latency limit (ms) on the upright axis `ms`."""
    rows = [{"ms": limit, "label": f"{name} ≤ {limit:g} ms"} for name, limit in limits.items()]
    text = {"align": "right", "dx": -6, "baseline": "bottom", "dy": -4, "color": LIMIT, "fontWeight": 600}
    return (
        layer(rows, {"type": "rule", "color": LIMIT, "strokeDash": [4, 3], "strokeWidth": 1.5}, y=y),
        *labels(rows, text, x={"value": "width"}, y=y),
    )


def _printable(value: Any) -> Any:
    """All text of a specification without control characters, of which one would abort the process that draws it."""
    match value:
        case str():
            return printable(value)
        case dict():
            return {key: _printable(item) for key, item in value.items()}
        case list() | tuple():
            return [_printable(item) for item in value]
    return value


def rounded(value: float) -> float:
    """Four significant digits: all that a picture can show."""
    return float(f"{value:.4g}")
