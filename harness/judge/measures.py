"""What the samples of one target amount to."""

from __future__ import annotations

import numpy as np

from harness.judge.percentiles import percentile
from harness.judge.seconds import machine_measure
from harness.ranking_data import Floats
from harness.records import LoadInfo, TargetInfo, TargetMeasure
from harness.samples import UNSENT, Samples
from harness.scenario import Sla, quantile_of

"""The target that the SLA is about."""

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def measure(info: TargetInfo, samples: Samples, sla: Sla, load: LoadInfo | None = None) -> TargetMeasure:
    """Percentiles (the usual ones and the SLA's own), rates and counts of the judged samples, and their machine."""
    quantiles = QUANTILES | {name.removesuffix("_ms"): quantile_of(name) for name in sla.percentiles}
    judged = samples.judged(info.target)
    window_s = _window_s(judged)
    n_ok = int(judged.ok.sum())
    return TargetMeasure(
        target=info.target,
        engine=info.engine,
        n_planned=len(judged),
        n_ok=n_ok,
        n_failed=int((~judged.ok & (judged.status != UNSENT)).sum()),
        n_unsent=int((judged.status == UNSENT).sum()),
        window_s=window_s,
        achieved_qps=n_ok / window_s if window_s else 0.0,
        latency_ms=_summary(judged.latency_ms, quantiles),
        round_trip_ms=_summary(judged.round_trip_ms, quantiles),
        send_lag_ms=_summary(judged.send_lag_ms, quantiles),
        error_rate=1 - n_ok / len(judged) if len(judged) else float("nan"),
        size_mb=info.size_mb,
        memory_mb=info.memory_mb,
        server=info.server,
        machine=machine_measure(load, samples, info.target),
    )


def _summary(values: Floats, quantiles: dict[str, float]) -> dict[str, float]:
    known = values[~np.isnan(values)]
    summary = {name: percentile(known, q) for name, q in quantiles.items()}
    summary["max"] = float(known.max()) if known.size else float("nan")
    return summary


def _window_s(judged: Samples) -> float:
    """Seconds over which the judged requests were due and answered, summed over the segments."""
    total = 0.0
    for segment in np.unique(judged.segment):
        rows = judged.where(judged.segment == segment)
        ends = np.concatenate([rows.due_s, rows.done_s[~np.isnan(rows.done_s)]])
        total += float(ends.max() - rows.due_s.min())
    return total
