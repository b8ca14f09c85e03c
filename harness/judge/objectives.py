"""Each objective of an SLA against what was measured: limit, figure, bound, headroom, status and why."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.judge.clusters import Cycles, cycles
from harness.judge.percentiles import Percentile, percentile
from harness.judge.shares import ALPHA, INDEPENDENT, share_of
from harness.records import Measurements, ObjectiveResult, TargetMeasure, VerdictStatus
from harness.samples import Samples
from harness.scenario import Sla, quantile_of

PASS, FAIL, INCONCLUSIVE = VerdictStatus.PASS, VerdictStatus.FAIL, VerdictStatus.INCONCLUSIVE


def judge_objectives(
    sla: Sla, measurements: Measurements, measure: TargetMeasure, samples: Samples, alpha: float = ALPHA
) -> tuple[ObjectiveResult, ...]:
    """Every objective of the SLA but `min_qps`, for the judged samples of one target; bounds fail at `alpha` each."""
    cycle = cycles(samples)
    results = []
    for name, limit in sla.objectives.items():
        if name in sla.percentiles:
            result = _latency(name, limit, measure, samples, cycle, alpha)
            results.append(_closed(result) if measurements.load and measurements.load.arrival == "closed" else result)
        elif name == "error_rate":
            results.append(_error_rate(limit, samples, cycle, alpha))
        else:
            results.append(_JUDGES[name](limit, measurements, measure, samples))
    return tuple(results)


def _latency(
    name: str, limit_ms: float, measure: TargetMeasure, samples: Samples, cycle: Cycles, alpha: float
) -> ObjectiveResult:
    """By the bounds on the share of requests over the limit.

    PASS counts lateness of the generator against the server. FAIL must hold for the round trips too, which do not.
    """
    q = quantile_of(name)
    found = Percentile.of(samples, cycle, q, alpha)
    share = found.over(limit_ms)
    further_s = 0.0
    if share.upper <= found.allowed:
        status, word = PASS, "at most"
    elif share.lower > found.allowed and found.trips_over(limit_ms).lower > found.allowed:
        status, word = FAIL, "more than"
    else:
        status, word = INCONCLUSIVE, "not decided against"
        further_s = found.further_windows(limit_ms) * measure.window_s
    reason = (
        f"{share.measured * 100:.3f} % of requests over {limit_ms:g} ms ({100 - alpha * 100:.4g} % bounds "
        f"{share.lower * 100:.3f} % to {share.upper * 100:.3f} %), {word} the {found.allowed * 100:.4g} % allowed; "
        f"{share.n_effective:.0f} effective of {len(samples)} samples"
    )
    if status is PASS:
        blind_s = found.blind_spot_s(measure.window_s)
        reason += f"; stalls of over {blind_s * 1e3:.0f} ms that come less than 3 times a window would go unseen"
    elif status is INCONCLUSIVE:
        reason += "; " + _outlook(further_s)
    measured = percentile(found.latency_ms, q)
    bounds = found.bounds_ms()
    result = _result(name, "ms", limit_ms, measured, *bounds, limit_ms - measured, status, reason)
    return result.model_copy(update={"n_effective": share.n_effective, "further_s": further_s})


def _closed(result: ObjectiveResult) -> ObjectiveResult:
    """What requests that waited for the answer before can show: that a limit is missed, not that it is met."""
    if result.status is not PASS:
        return result
    reason = f"{result.reason}; but closed arrival can't show that a limit is met: a slow server is sent fewer requests"
    return result.model_copy(update={"status": INCONCLUSIVE, "further_s": math.inf, "reason": reason})


def _outlook(further_s: float) -> str:
    if math.isinf(further_s):
        return "too close to the limit to be decided by a longer run"
    return f"about {further_s:.0f} s more of the same would decide"


def _error_rate(limit: float, samples: Samples, cycle: Cycles, alpha: float) -> ObjectiveResult:
    failed = ~samples.ok
    share = share_of(failed, cycle, INDEPENDENT, alpha)
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
    found = quality.at(limit)
    status, says = _QUALITY[found]
    reason = f"{measurements.ndcg}, paired over {quality.n_groups} query groups; {found}: {says}"
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


_QUALITY = {
    "non-inferior": (PASS, "a loss over the limit is excluded with 95 % confidence"),
    "inferior": (FAIL, "a loss within the limit is excluded with 95 % confidence"),
    "undecided": (INCONCLUSIVE, "the bounds enclose the limit, which more query groups would tell apart"),
}

_JUDGES: dict[str, Callable[[float, Measurements, TargetMeasure, Samples], ObjectiveResult]] = {
    "ndcg_drop": _ndcg_drop,
    "size_mb": _size_mb,
    "memory_mb": _memory_mb,
}
