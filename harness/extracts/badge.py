"""A badge: one small SVG with the verdict in words and colour, for a README or a wiki.

Of one run it tells the verdict and the latency objective with the least headroom; of several how many passed. Written
with the contrast of WCAG AA; the words carry the meaning, the colour repeats it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

from harness.printable import printable
from harness.records import ObjectiveResult, Report, VerdictStatus

SUFFIX = "badge.svg"
_LABEL = "ranking SLA"
_COLOURS = {
    VerdictStatus.PASS: "#1a6b32",
    VerdictStatus.FAIL: "#b3261e",
    VerdictStatus.INCONCLUSIVE: "#7a4d00",
    VerdictStatus.INVALID: "#5b3a8c",
}
_WORST = (VerdictStatus.FAIL, VerdictStatus.INVALID, VerdictStatus.INCONCLUSIVE, VerdictStatus.PASS)
_CHARACTER, _PADDING = 6.6, 8


def render(reports: Sequence[Report]) -> str:
    """The badge of one run, or of several together."""
    statuses = Counter(report.verdict.status for report in reports)
    status = next((known for known in _WORST if statuses[known]), VerdictStatus.INCONCLUSIVE)
    if len(reports) == 1:
        words = " · ".join(filter(None, (status, _closest(reports[0]))))
    else:
        words = ", ".join(f"{statuses[known]} {known}" for known in reversed(_WORST) if statuses[known]) or "no run"
    return _drawn(printable(words), _COLOURS[status])


def _closest(report: Report) -> str:
    latencies = [one for one in report.verdict.objectives if one.name.endswith("_ms") and one.limit > 0]
    return _told(min(latencies, key=lambda one: one.headroom / one.limit)) if latencies else ""


def _told(objective: ObjectiveResult) -> str:
    percentile = objective.name.removesuffix("_ms")
    if math.isinf(objective.measured):
        return f"{percentile} not answered"
    return f"{percentile} {objective.measured:.3g} of {objective.limit:g} ms"


def _drawn(words: str, colour: str) -> str:
    left, right = (round(_CHARACTER * len(text) + 2 * _PADDING) for text in (_LABEL, words))
    shown = escape(f"{_LABEL}: {words}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{shown}">'
        f"<title>{shown}</title>"
        f'<rect width="{left + right}" height="20" rx="3" fill="#33383d"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{left}z" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(_LABEL, _PADDING, left)}{_text(words, left + _PADDING, right)}</g></svg>\n"
    )


def _text(text: str, x: int, width: int) -> str:
    fit = f'textLength="{width - 2 * _PADDING}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x}" y="14" {fit}>{escape(text)}</text>'
