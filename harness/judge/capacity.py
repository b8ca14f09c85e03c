"""Capacity: what a series of load tests at different rates says of the highest rate that meets the SLA."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from harness.judge.verdict import judge_load
from harness.ranking_data import Floats
from harness.records import (
    COMPRESSED,
    CapacityPoint,
    Finding,
    Measurements,
    RateTest,
    TargetCapacity,
    TargetMeasure,
    VerdictStatus,
)
from harness.samples import Samples
from harness.scenario import Scenario, Sla
from harness.studies import Capacity

KNEE_PERCENTILE = "p50"
_LEAST = 1e-6  # strain of an error rate alone, where nothing failed
_NEAR = 4.0  # a strain within this factor of 1 is near the edge
_TRUST = 1.15  # how far the line may move what the isotonic fit says


def capacity_point(scenario: Scenario, measurements: Measurements, samples: Samples, test: RateTest) -> CapacityPoint:
    """Judge one load test of a search as a point of it, by what the SLA asks under load."""
    seen = measurements.model_copy(update={"targets": (test.info,)})
    report = judge_load(scenario, seen, samples, test.load, test.info.target)
    (measure,) = report.measures
    return CapacityPoint(
        offered_qps=test.load.offered_qps,
        status=report.verdict.status,
        near_edge=test.near_edge,
        strain=strain(scenario.sla, measure),
        measure=measure,
        load=test.load,
        objectives=report.verdict.objectives,
        findings=report.verdict.findings,
        samples=test.samples,
    )


def strain(sla: Sla, measure: TargetMeasure) -> float:
    """A percentile over its limit, for the objective where that is largest: above 1 the SLA is missed as measured."""
    strains = [measure.latency_ms[name.removesuffix("_ms")] / limit for name, limit in sla.percentiles.items()]
    if sla.error_rate is not None and measure.error_rate > 0:
        strains.append(measure.error_rate / sla.error_rate if sla.error_rate else math.inf)
    return max(strains, default=0.0)


def judge_capacity(name: str, measurements: Measurements, points: Sequence[CapacityPoint], budget_s: float) -> Capacity:
    """What all points of a study amount to."""
    target = points[0].measure.target if points else COMPRESSED
    found = target_capacity(target, points)
    cut = [] if measurements.complete else [_incomplete(measurements)]
    own = dict(found) | {"findings": (*cut, *found.findings)}
    return Capacity(name=name, measurements=measurements, budget_s=budget_s, **own)


def target_capacity(target: str, points: Sequence[CapacityPoint]) -> TargetCapacity:
    """What the points of one target amount to."""
    lower, upper = interval(points)
    return TargetCapacity(
        target=target,
        points=tuple(points),
        lower_qps=lower,
        upper_qps=upper,
        estimate_qps=crossing(points),
        knee_qps=knee(points),
        knee_of=KNEE_PERCENTILE,
        findings=tuple(_find(target, points, lower, upper)),
    )


def _incomplete(measurements: Measurements) -> Finding:
    return Finding(
        name="incomplete-run",
        message=f"the search did not finish: {measurements.failure or 'interrupted'}",
        remedy="search again; finished stages are reused from the cache",
    )


def _find(target: str, points: Sequence[CapacityPoint], lower: float, upper: float) -> Iterator[Finding]:
    invalid = [p for p in points if p.status is VerdictStatus.INVALID]
    if invalid:
        reasons = dict.fromkeys(f.name for p in invalid for f in p.findings if f.hard)
        yield Finding(
            name="invalid-points",
            message=f"{target}: {len(invalid)} of {len(points)} load tests can't be trusted ({', '.join(reasons)}) and "
            f"are left out; the slowest of them offered {min(p.offered_qps for p in invalid):.4g} requests/s",
            remedy="give the load generator a core of its own and a quiet machine",
            target=target,
        )
    if points and not lower:
        yield Finding(
            name="no-rate-passed",
            message=f"{target}: no tested rate was shown to meet the SLA",
            remedy="raise the search's budget where points are INCONCLUSIVE; else relax the SLA or use a faster ranker",
            target=target,
        )
    if points and math.isinf(upper):
        yield Finding(
            name="no-rate-failed",
            message=f"{target}: no tested rate was shown to miss the SLA: the capacity is open upwards",
            remedy="raise the search's budget, or generate load from more cores where points are INVALID",
            target=target,
        )


def interval(points: Sequence[CapacityPoint]) -> tuple[float, float]:
    """The highest rate that passed and the lowest that failed, both outside every contradiction; 0, inf: none."""
    passed = [p.offered_qps for p in points if p.status is VerdictStatus.PASS]
    failed = [p.offered_qps for p in points if p.status is VerdictStatus.FAIL]
    lower = max((rate for rate in passed if rate < min(failed, default=math.inf)), default=0.0)
    upper = min((rate for rate in failed if rate > max(passed, default=0.0)), default=math.inf)
    return lower, upper


def crossing(points: Sequence[CapacityPoint]) -> float:
    """The rate where the strain crosses 1; NaN where all trusted points lie on one side of it.

    The reciprocal of the strain is first fitted as a function that never rises with the rate (isotonic regression,
    Barlow and others 1972; a point weighs as its requests), which says where to look; then a straight line through the
    points around there says it closer, as for M/M/1 the reciprocal of a percentile is linear in the rate.
    """
    rates, values, weights = _columns(points, lambda p: 1 / max(p.strain, _LEAST))
    fitted = _falling(values, weights)
    if rates.size < 2 or not fitted[-1] < 1 < fitted[0]:
        return math.nan
    rough = float(np.interp(-1.0, -fitted, rates))
    near = (values > 1 / _NEAR) & (values < _NEAR)
    if near.sum() < 3:
        return rough
    slope, level = np.polyfit(rates[near], values[near], 1, w=np.sqrt(weights[near]) / values[near])
    return float(np.clip((1 - level) / slope, rough / _TRUST, rough * _TRUST)) if slope < 0 else rough


def knee(points: Sequence[CapacityPoint], percentile: str = KNEE_PERCENTILE) -> float:
    """The rate at which a latency percentile begins to grow faster than the rate itself; NaN where no point is past it.

    That is where the power, rate / latency, is highest (Kleinrock, ICC 1979). The reciprocal of the percentile is
    fitted as a function that never rises with the rate, and joined by lines, which is exact for M/M/1: there a
    percentile is a constant / (service rate - rate), and the knee is at half the service rate.
    """
    rates, values, weights = _columns(points, lambda p: 1 / p.measure.latency_ms[percentile])
    if rates.size < 2:
        return math.nan
    fitted = _falling(values, weights)
    grid = np.geomspace(rates[0], rates[-1], 1000)
    best = int(np.argmax(grid * np.interp(grid, rates, fitted)))
    return float(grid[best]) if 0 < best < grid.size - 1 else math.nan


def _falling(values: Floats, weights: Floats) -> Floats:
    """The function (n,) that never rises and is nearest to the values (n,), by weighted least squares."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, weights=weights, increasing=False).x) if values.size else values


def _columns(points: Sequence[CapacityPoint], value: Callable[[CapacityPoint], float]) -> tuple[Floats, Floats, Floats]:
    """Rate, value and weight of the points that can be trusted, each (n,), ascending by rate; equal rates merged."""
    sound = [p for p in points if p.status is not VerdictStatus.INVALID]
    offered = np.array([p.offered_qps for p in sound])
    counts = np.array([p.measure.n_planned for p in sound], dtype=np.float64)
    rates = np.unique(offered)
    weights = np.array([counts[offered == rate].sum() for rate in rates])
    sums = counts * np.array([value(p) for p in sound])
    return rates, np.array([sums[offered == rate].sum() for rate in rates]) / weights, weights
