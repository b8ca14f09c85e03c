"""Each objective of an SLA against what was measured: limit, figure, bound, headroom, status and why."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.judge.shares import percentile, percentile_bounds, share_of, slowest
from harness.records import Measurements, ObjectiveResult, TargetMeasure, VerdictStatus
from harness.samples import Samples
from harness.scenario import Sla, quantile_of

PASS, FAIL, INCONCLUSIVE = VerdictStatus.PASS, VerdictStatus.FAIL, VerdictStatus.INCONCLUSIVE


def judge_objectives(
    sla: Sla, measurements: Measurements, measure: TargetMeasure, samples: Samples
) -> tuple[ObjectiveResult, ...]:
    """Every objective of the SLA but `min_qps`, for the judged samples of one target."""
    results = []
    for name, limit in sla.objectives.items():
        if name in sla.percentiles:
            results.append(_latency(name, limit, samples))
        else:
            results.append(_JUDGES[name](limit, measurements, measure, samples))
    return tuple(results)


def _latency(name: str, limit_ms: float, samples: Samples) -> ObjectiveResult:
    """PASS and FAIL by the bounds on the share of requests over the limit, not by the percentile alone."""
    q = quantile_of(name)
    latency = samples.latency_ms
    share = share_of(latency > limit_ms, slowest(latency, q))
    measured = percentile(latency, q)
    lower, upper = percentile_bounds(latency, q, share.n_effective)
    allowed = 1 - q
    if share.upper <= allowed:
        status, word = PASS, "at most"
    elif share.lower > allowed:
        status, word = FAIL, "more than"
    else:
        status, word = INCONCLUSIVE, "not decided against"
    reason = (
        f"{share.measured:.3%} of requests over {limit_ms:g} ms (95 % bounds {share.lower:.3%} to {share.upper:.3%}), "
        f"{word} the {allowed:.4g} allowed; {share.n_effective:.0f} effective of {len(samples)} samples"
    )
    return _result(name, "ms", limit_ms, measured, lower, upper, limit_ms - measured, status, reason)


def _error_rate(limit: float, _: Measurements, __: TargetMeasure, samples: Samples) -> ObjectiveResult:
    failed = ~samples.ok
    share = share_of(failed, failed)
    if limit == 0:
        status = FAIL if failed.any() else PASS
        reason = f"{int(failed.sum())} of {len(samples)} failed; a limit of 0 is judged by the count alone"
    else:
        status = PASS if share.upper <= limit else FAIL if share.lower > limit else INCONCLUSIVE
        reason = f"{int(failed.sum())} of {len(samples)} requests failed or were not sent"
    return _result(
        "error_rate", "", limit, share.measured, share.lower, share.upper, limit - share.measured, status, reason
    )


def _ndcg_drop(limit: float, measurements: Measurements, _: TargetMeasure, __: Samples) -> ObjectiveResult:
    quality = measurements.ledger[-1].quality
    status = PASS if quality.drop_upper <= limit else FAIL if quality.drop_lower > limit else INCONCLUSIVE
    reason = f"{measurements.ndcg}, paired over {quality.n_groups} query groups"
    bounds = quality.drop_lower, quality.drop_upper
    return _result("ndcg_drop", "", limit, quality.drop, *bounds, limit - quality.drop, status, reason)


def _size_mb(limit: float, _: Measurements, measure: TargetMeasure, __: Samples) -> ObjectiveResult:
    return _exact("size_mb", limit, measure.size_mb, "bytes of the canonical artefact / 10^6")


def _memory_mb(limit: float, _: Measurements, measure: TargetMeasure, __: Samples) -> ObjectiveResult:
    return _exact("memory_mb", limit, measure.memory_mb, "resident memory of one server process / 10^6")


def _exact(name: str, limit: float, measured: float, reason: str) -> ObjectiveResult:
    status = INCONCLUSIVE if math.isnan(measured) else PASS if measured <= limit else FAIL
    return _result(name, "MB", limit, measured, measured, measured, limit - measured, status, reason)


def _result(
    name: str,
    unit: str,
    limit: float,
    measured: float,
    lower: float,
    upper: float,
    headroom: float,
    status: VerdictStatus,
    reason: str,
) -> ObjectiveResult:
    return ObjectiveResult(
        name=name,
        unit=unit,
        limit=limit,
        measured=measured,
        lower=lower,
        upper=upper,
        headroom=headroom,
        status=status,
        reason=reason,
    )


_JUDGES: dict[str, Callable[[float, Measurements, TargetMeasure, Samples], ObjectiveResult]] = {
    "error_rate": _error_rate,
    "ndcg_drop": _ndcg_drop,
    "size_mb": _size_mb,
    "memory_mb": _memory_mb,
}
