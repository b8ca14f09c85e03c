"""How many times as long side B takes as side A, with the interval, beside the smallest effect that matters."""

from __future__ import annotations

import math

from harness.report import _numbers as numbers
from harness.report._charts.chart import COMPRESSED, DOUBT, INK, SOFT, Chart, layer, log_axis, rounded, tips
from harness.studies import Comparison


def ratios(comparison: Comparison) -> Chart | None:
    """A row for each percentile that has a finite ratio; None where none has."""
    known = [one for one in comparison.differences if one.ratio_lower > 0 and one.ratio_upper < math.inf]
    if not known:
        return None
    rows = [
        {
            "percentile": one.percentile,
            "ratio": rounded(one.ratio),
            "lower": rounded(one.ratio_lower),
            "upper": rounded(one.ratio_upper),
            "answer": one.answer,
            "shown": f"{numbers.figure(one.ratio)}, {numbers.figure(one.ratio_lower)} to "
            f"{numbers.figure(one.ratio_upper)}",
            "a": numbers.ms(one.a_ms),
            "b": numbers.ms(one.b_ms),
        }
        for one in known
    ]
    small, large = 1 / (1 + comparison.min_effect), 1 + comparison.min_effect
    low = min([small, *(one.ratio_lower for one in known)]) / 1.1
    high = max([large, *(one.ratio_upper for one in known)]) * 1.1
    x = log_axis("ratio", "times as long as A", low, high, values=_ticks(low, high))
    y = {"field": "percentile", "type": "ordinal", "title": None, "sort": None, "axis": {"ticks": False, "grid": False}}
    under = tips(percentile="percentile", shown="B / A", a="A", b="B", answer="answer")
    point = {"type": "point", "filled": True, "size": 110, "opacity": 1, "color": COMPRESSED}
    text = {"type": "text", "baseline": "bottom", "dy": -10, "fontWeight": 600}
    band = [{"ratio": rounded(small), "end": rounded(large)}]
    return Chart(
        name="ratios",
        title="B against A",
        words="; ".join(f"{row['percentile']}: {row['shown']} times as long, {row['answer']}" for row in rows) + ".",
        layers=(
            layer(band, {"type": "rect", "color": DOUBT, "opacity": 0.2}, x=x, x2={"field": "end"}),
            layer([{"ratio": 1}], {"type": "rule", "color": SOFT, "strokeDash": [4, 3]}, x=x),
            layer(rows, {"type": "rule", "color": INK, "strokeWidth": 2}, x=x | {"field": "lower"},
                  x2={"field": "upper"}, y=y),
            layer(rows, point, x=x, y=y, tooltip=under),
            layer(rows, text, x=x, y=y, text={"field": "answer"}),
        ),
        caption=(
            "Left of 1, B is faster. Lines: 95 % intervals; shaded: differences smaller than "
            f"{numbers.share(comparison.min_effect)}, which do not matter."
        ),
        height=70 * len(rows),
    )  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """Eighths where the range is narrow, else doublings."""
    ticks = [step / 8 for step in range(1, 25)] if high / low < 4 else [2.0**power for power in range(-10, 11)]
    return [tick for tick in ticks if low <= tick <= high]
