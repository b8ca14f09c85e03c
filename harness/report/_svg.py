"""Small pieces of SVG: text alternatives, labels, lines. Colours are left to classes of the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from harness.printable import printable


def picture(name: str, width: float, height: float, title: str, description: str, parts: Iterable[str]) -> str:
    """An <svg> that scales with the page and tells its content to those who can't see it."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="{name}-title {name}-text">'
        f'<title id="{name}-title">{_escaped(title)}</title><desc id="{name}-text">{_escaped(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def text(x: float, y: float, content: str, css: str = "", anchor: str = "start") -> str:
    """A label; `anchor` is `start`, `middle` or `end`."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{_escaped(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def bar(x: float, y: float, width: float, height: float, css: str) -> str:
    """A bar to the right of x."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="2" class="{css}"/>'


def path(points: Iterable[tuple[float, float]], css: str) -> str:
    """A line through points."""
    steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{steps}" class="{css}"/>'


def dot(x: float, y: float, css: str) -> str:
    """A point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="{css}"/>'


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones: 1, 2 and 5 of each decade, or the decades alone where they are many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 3000 else (1,)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return [tick for tick in ticks if low <= tick <= high]


def _escaped(text: str) -> str:
    return escape(printable(text))
