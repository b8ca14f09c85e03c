"""Numbers as people read them: three significant digits, units, and words where there is no number."""

from __future__ import annotations

import math
from collections.abc import Callable

Shown = Callable[[float], str]
NOTHING = "–"
UNANSWERED = "not answered"
SAME = "about the same"
_SAME_WITHIN = 1.05
_UNITS = {"size_mb": "MB", "memory_mb": "MB", "min_qps": "requests/s", "ndcg_drop": ""}


def figure(value: float, unit: str = "") -> str:
    """Three significant digits without an exponent, thousands set apart; `–` for NaN."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = _significant(abs(value))
    return ("−" if value < 0 and text.strip("0.") else "") + text + (f" {unit}" if unit else "")


def ms(value: float) -> str:
    """Milliseconds; an infinite percentile falls on requests that failed or were never sent."""
    return UNANSWERED if value == math.inf else figure(value, "ms")


def us(value: float) -> str:
    """Microseconds, as milliseconds from 1000 µs on."""
    return figure(value / 1e3, "ms") if abs(value) >= 999.5 else figure(value, "µs")


def share(value: float) -> str:
    """A share as a percentage: 0.0012 -> `0.12 %`."""
    return figure(value * 100, "%")


def size(n_bytes: float) -> str:
    """Bytes with a decimal prefix; 0 means unknown."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= 0.9995 * factor:
            return figure(n_bytes / factor, unit)
    return figure(n_bytes, "B") if n_bytes else NOTHING


def megabytes(value: float) -> str:
    """Megabytes (10^6 bytes)."""
    return size(value * 1e6)


def count(value: float) -> str:
    """A whole number, thousands set apart; 0 means that there is no such thing."""
    return f"{value:,.0f}" if value and not math.isnan(value) else NOTHING


def quality(value: float) -> str:
    """NDCG, or a difference of two, to four decimals."""
    if math.isnan(value):
        return NOTHING
    text = f"{abs(value):.4f}"
    return f"−{text}" if value < 0 and text != "0.0000" else text


def ratio(before: float, after: float, better: str, worse: str) -> str:
    """How `after` compares with `before` where less is better: `8.1× smaller`; empty where either is unknown."""
    if not (0 < before < math.inf and 0 < after < math.inf):
        return ""
    times, word = (before / after, better) if before >= after else (after / before, worse)
    if times < _SAME_WITHIN:
        return SAME
    return f"{times:.1f}× {word}" if times < 9.95 else f"{times:,.0f}× {word}"


def objective(name: str, value: float, unit: str) -> str:
    """A measured value of the named objective in that objective's own manner."""
    if name.endswith("_ms"):
        return ms(value)
    match name:
        case "error_rate":
            return share(value)
        case "ndcg_drop":
            return quality(value)
    return figure(value, _UNITS.get(name, unit))


def limit(name: str, value: float, unit: str) -> str:
    """The limit of the named objective, as exact as it was declared."""
    if name == "error_rate":
        return f"{value * 100:,.6g} %"
    unit = "ms" if name.endswith("_ms") else _UNITS.get(name, unit)
    return f"{value:,.6g}" + (f" {unit}" if unit else "")


def _significant(value: float) -> str:
    """Three significant digits of a value >= 0, at most six decimals; whole from 100 on."""
    if value == 0:
        return "0"
    if value < 5e-7:
        return "<0.000001"
    decimals = min(6, max(0, 2 - math.floor(math.log10(value))))
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) >= 10 ** (3 - decimals):  # 9.999 rounds up to 10.00
        text = f"{value:,.{max(0, decimals - 1)}f}"
    return text
