"""Did requests leave as planned? Rate and gaps of what was sent against what the arrival process promises."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from harness.ranking_data import Floats
from harness.records import Finding, LoadInfo
from harness.samples import UNSENT, Samples
from harness.scenario import Traffic

DEVIATIONS = 3.0
VARIATION = 0.1
"""Allowed change of the squared coefficient of variation of the gaps. In a queue the mean wait is about proportional
to the sum of that of the gaps and that of the service times (Kingman 1961), so this changes it by a tenth at most
where service varies as much as exponential service does."""

_FEWEST = 30


def arrival_findings(traffic: Traffic, samples: Samples, target: str, *, hard: bool) -> Iterator[Finding]:
    """Rate and gaps of the arrivals in one target's judged windows.

    A request that the cap on requests in flight kept from leaving has arrived all the same, at its due time: the
    server has answered too slowly then, and that is for the verdict to say.
    """
    judged = samples.judged(target)
    if traffic.arrival == "closed" or len(judged) < _FEWEST:
        return
    at_s = np.where(judged.status == UNSENT, judged.due_s, judged.sent_s)
    gaps_s, planned_s = _gaps(at_s, judged), _gaps(judged.due_s, judged)
    yield from _rate(traffic, gaps_s, target, hard=hard)
    yield from _variation(traffic, gaps_s, planned_s, target, hard=hard)


def missing_findings(load: LoadInfo, samples: Samples) -> Iterator[Finding]:
    """Planned requests of a finished run that left no sample."""
    if load.complete and len(samples) < load.n_planned:
        yield _finding(
            f"{load.n_planned - len(samples)} planned requests never came due",
            len(samples), load.n_planned, "requests", target="", hard=True,
        )  # fmt: skip


def _gaps(at_s: Floats, judged: Samples) -> Floats:
    """Times between arrivals within each segment, in the order in which they left."""
    order = np.lexsort((at_s, judged.segment))
    gaps_s = np.diff(at_s[order])
    inside: Floats = gaps_s[np.diff(judged.segment[order]) == 0]
    return inside


def _rate(traffic: Traffic, gaps_s: Floats, target: str, *, hard: bool) -> Iterator[Finding]:
    """Arrivals over the time from the first to the last: Poisson counts have their mean as variance, constant none."""
    expected = traffic.offered_qps * float(gaps_s.sum())
    deviation = {"poisson": math.sqrt(expected), "constant": 1.0}.get(traffic.arrival)
    if deviation is None:
        return
    off = abs(gaps_s.size - expected) / deviation
    if off > DEVIATIONS:
        yield _finding(
            f"{target}: {gaps_s.size} arrivals where {expected:.0f} are expected at {traffic.offered_qps:g} per second",
            off, DEVIATIONS, "standard deviations", target=target, hard=hard,
        )  # fmt: skip


def _variation(traffic: Traffic, gaps_s: Floats, planned_s: Floats, target: str, *, hard: bool) -> Iterator[Finding]:
    """Squared coefficient of variation: 1 for exponential gaps, with an asymptotic deviation of 2 / sqrt(n); 0 for
    equal ones; other processes are held to their own planned gaps.
    """
    expected = {"poisson": 1.0, "constant": 0.0}.get(traffic.arrival, _squared_variation(planned_s))
    error = 2.0 / math.sqrt(gaps_s.size) if traffic.arrival == "poisson" else 0.0
    allowed = VARIATION * max(1.0, expected) + DEVIATIONS * error
    found = _squared_variation(gaps_s)
    if abs(found - expected) > allowed:
        yield _finding(
            f"{target}: gaps between arrivals vary more or less than planned "
            f"(squared coefficient of variation {found:.2f}, planned {expected:.2f})",
            abs(found - expected), allowed, "", target=target, hard=hard,
        )  # fmt: skip


def _squared_variation(gaps_s: Floats) -> float:
    return float(gaps_s.var() / gaps_s.mean() ** 2)


def _finding(message: str, figure: float, threshold: float, unit: str, *, target: str, hard: bool) -> Finding:
    return Finding(
        name="arrivals-off-plan",
        message=message,
        remedy="give the load generator a core of its own and a quiet machine, or lower traffic.offered_qps",
        hard=hard,
        target=target,
        figure=figure,
        threshold=threshold,
        unit=unit,
    )
