"""The search for the capacity: where to look next, given the points so far, until the budget is spent.

Looks are short at first: the rate is doubled or halved until points lean to both sides of the SLA's edge, and the gap
is bisected. Then long looks at the estimated edge itself, and on both sides of it, bisecting between the estimate and
the nearest rate that has a verdict: what is INCONCLUSIVE there lies between.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.judge.capacity import crossing, interval
from harness.records import COMPRESSED, CapacityPoint, VerdictStatus

SHORT_SHARE, LONG_SHARE = 1 / 40, 1 / 8
"""Judged time of a short and of a long look, as a share of the budget."""
_FIRST_OVERHEAD_S = 4.0
_FEWEST_REQUESTS = 30
_FASTEST_QPS = 100_000.0
_BRACKET = 1.3
_STEP = 1.6
_TOLERANCE = 1.05
_ASIDE = 1.03
_CURVE = (0.25, 0.5)  # shares of the edge that the curve of latency against load needs, and with it the knee


@dataclass(frozen=True)
class Look:
    """The next load test: its rate, and whether it is worth a long window."""

    offered_qps: float
    near_edge: bool


def search(
    look_at: Callable[[Look, float], CapacityPoint],
    start_qps: float,
    budget_s: float,
    warm_up_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> list[CapacityPoint]:
    """Call `look_at` (a look, its window in s) for one point after another; ends in time by what earlier looks took."""
    found = search_in_turn(
        lambda _, look, window_s: look_at(look, window_s), [COMPRESSED], start_qps, budget_s, warm_up_s, clock
    )
    return found[COMPRESSED]


def search_in_turn(
    look_at: Callable[[str, Look, float], CapacityPoint],
    sides: Sequence[str],
    start_qps: float,
    budget_s: float,
    warm_up_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, list[CapacityPoint]]:
    """A search for each side in one budget: the next look is at the side that has had the least time so far.

    So all sides see the same minutes of the machine, and get the same share of the budget, and what a side leaves of
    its share goes to the others. `look_at` gets a side, a look at it and its window in s.
    """
    points: dict[str, list[CapacityPoint]] = {side: [] for side in sides}
    spent_s, going = dict.fromkeys(sides, 0.0), list(sides)
    share_s, overhead_s = budget_s / len(sides), _FIRST_OVERHEAD_S
    while going:
        side = min(going, key=spent_s.__getitem__)
        ended_s = sum(spent_s[other] for other in sides if other not in going)
        left_s = (budget_s - ended_s) / len(going) - spent_s[side] - warm_up_s - overhead_s
        look = next_look(points[side], start_qps)
        shortest_s = max(share_s * SHORT_SHARE, _FEWEST_REQUESTS / look.offered_qps) if look else math.inf
        if look is None or left_s < shortest_s:
            going.remove(side)
            continue
        window_s = min(max(share_s * LONG_SHARE, shortest_s), left_s) if look.near_edge else shortest_s
        started_s = clock()
        points[side].append(look_at(side, look, window_s))
        took_s = clock() - started_s
        spent_s[side] += took_s
        overhead_s = max(overhead_s, took_s - warm_up_s - window_s)
    return points


def next_look(points: Sequence[CapacityPoint], start_qps: float) -> Look | None:
    """Where to look next; None where nothing more is to be learnt.

    A rate whose load test was INVALID gets a second one. Where that is INVALID too, the rate is taken as out of reach;
    where a higher one is not, a disturbance has passed, and the search goes on a little beside that rate.
    """
    if not points:
        return Look(start_qps, near_edge=False)
    look = _wanted(points)
    spoilt = [p.offered_qps for p in points if p.status is VerdictStatus.INVALID]
    while look is not None and spoilt.count(look.offered_qps) > 1:
        look = replace(look, offered_qps=_ASIDE * look.offered_qps)
    return look


def _wanted(points: Sequence[CapacityPoint]) -> Look | None:
    last = points[-1]
    n_tried = sum(p.offered_qps == last.offered_qps for p in points)
    if last.status is VerdictStatus.INVALID and n_tried == 1:
        return Look(last.offered_qps, last.near_edge)
    reached = max((p.offered_qps for p in points if p.status is not VerdictStatus.INVALID), default=0.0)
    points = [p for p in points if p.status is not VerdictStatus.INVALID or p.offered_qps > reached]
    under = max((p.offered_qps for p in points if not _leans_over(p)), default=0.0)
    over = min((p.offered_qps for p in points if _leans_over(p)), default=math.inf)
    if not under:
        return Look(over / 2, near_edge=False)
    if math.isinf(over):
        return Look(2 * under, near_edge=False) if 2 * under <= _FASTEST_QPS else None
    if over / under > _BRACKET:
        return Look(math.sqrt(under * over), near_edge=False)
    return _at_edge(points, crossing(points), under)


def _at_edge(points: Sequence[CapacityPoint], edge_qps: float, under: float) -> Look | None:
    long = [p for p in points if p.near_edge]
    if math.isnan(edge_qps):  # faster load tests can't be trusted: what remains is a verdict at the highest that can
        return None if any(p.offered_qps == under for p in long) else Look(under, near_edge=True)
    for share in _CURVE:
        if not _looked(points, share * edge_qps, _BRACKET):
            return Look(share * edge_qps, near_edge=False)
    if not long:
        return Look(edge_qps, near_edge=True)
    lower, upper = interval(points)
    open_rates = [p.offered_qps for p in long if p.status is VerdictStatus.INCONCLUSIVE]
    inner_low = min([edge_qps, *(rate for rate in open_rates if lower < rate)])
    inner_high = max([edge_qps, *(rate for rate in open_rates if rate < upper)])
    down = math.sqrt(lower * inner_low) if lower else inner_low / _STEP
    up = math.sqrt(upper * inner_high) if upper < math.inf else inner_high * _STEP
    ceiling = min((p.offered_qps for p in points if p.status is VerdictStatus.INVALID), default=math.inf)
    gaps = {upper / inner_high: up, inner_low / lower if lower else math.inf: down}
    worth = {gap: rate for gap, rate in gaps.items() if gap > _TOLERANCE and rate < ceiling}
    if max(worth, default=0.0) < math.inf and not _looked(long, edge_qps, _TOLERANCE):
        return Look(edge_qps, near_edge=True)
    return Look(worth[max(worth)], near_edge=True) if worth else None


def _looked(points: Sequence[CapacityPoint], rate_qps: float, factor: float) -> bool:
    return any(rate_qps / factor < p.offered_qps < rate_qps * factor for p in points)


def _leans_over(point: CapacityPoint) -> bool:
    match point.status:
        case VerdictStatus.PASS:
            return False
        case VerdictStatus.INCONCLUSIVE:
            return point.strain > 1
    return True
