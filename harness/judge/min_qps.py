"""`min_qps`: the capacity is at least this. The latency objectives and the error rate hold at this offered rate.

A run that offers at least so much answers that itself; where it offers less, one more load test at exactly this rate
is part of the run and answers it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.records import ObjectiveResult, TargetMeasure, VerdictStatus

SAME_RATE = 1.05  # what is missed at a rate this much higher counts as missed at the rate asked
DEVIATIONS = 3.0


@dataclass(frozen=True)
class LoadResult:
    """A load test at a rate, its latency objectives and error rate judged, and the findings that make it INVALID."""

    offered_qps: float
    measure: TargetMeasure
    objectives: Sequence[ObjectiveResult]
    invalid_by: Sequence[str] = ()


def judge_min_qps(limit: float, load: LoadResult) -> ObjectiveResult:
    """PASS where everything holds at `limit` or a higher rate, FAIL where something is missed at `limit` or a lower."""
    answered_qps = load.offered_qps * load.measure.n_ok / load.measure.n_planned
    status, reason = _held(limit, load, answered_qps)
    if load.invalid_by:
        status, reason = VerdictStatus.INCONCLUSIVE, f"its load test can't be trusted ({', '.join(load.invalid_by)})"
    elif status is VerdictStatus.FAIL and load.offered_qps > SAME_RATE * limit:
        status, reason = VerdictStatus.INCONCLUSIVE, f"{reason}; a lower rate was not tested"
    elif status is VerdictStatus.PASS and load.offered_qps < limit:
        status, reason = VerdictStatus.INCONCLUSIVE, "only so many were offered: raise traffic.offered_qps"
    return ObjectiveResult(
        name="min_qps",
        unit="qps",
        limit=limit,
        measured=answered_qps,
        headroom=answered_qps - limit,
        status=status,
        reason=f"at {load.offered_qps:g} requests per second: {reason}",
    )


def _held(limit: float, load: LoadResult, answered_qps: float) -> tuple[VerdictStatus, str]:
    """Whether the objectives hold at the rate of the load test, and nearly all that was offered was answered.

    Short of `limit` by what a Poisson count of it may vary, three standard deviations, is not missing it.
    """
    missed = [result.name for result in load.objectives if result.status is VerdictStatus.FAIL]
    slack_qps = DEVIATIONS * math.sqrt(limit / load.measure.window_s) if load.measure.window_s else 0.0
    if answered_qps < min(limit, load.offered_qps) - slack_qps:
        missed.append(f"{answered_qps:.1f} per second answered")
    if missed:
        return VerdictStatus.FAIL, f"missed: {', '.join(missed)}"
    open_ = [result.name for result in load.objectives if result.status is not VerdictStatus.PASS]
    if open_:
        return VerdictStatus.INCONCLUSIVE, f"not decided: {', '.join(open_)}"
    names = [result.name for result in load.objectives]
    return VerdictStatus.PASS, f"{', '.join(names)} met" if names else f"{answered_qps:.1f} per second answered"
