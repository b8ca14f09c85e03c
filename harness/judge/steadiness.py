"""Was the window long and steady enough? Latency that drifts, and samples too few for an objective."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from harness.judge.generator import tightest_ms
from harness.ranking_data import Floats
from harness.records import Finding, ObjectiveResult, VerdictStatus
from harness.samples import Samples
from harness.scenario import Sla, quantile_of

TOO_FEW, LATENCY_DRIFT = "too-few-samples", "latency-drift"
LEVEL = 0.95
DRIFT = 0.10
MATERIAL_SHARE = 0.02
"""A drift by less than this share of the tightest latency limit is told, and leaves the verdict: it decides nothing."""
BATCHES_PER_THIRD = 10
FEWEST_PER_BATCH = 10
_SHORTEST_MS = 1e-3
STUDENTISED_RANGE = 8.0
"""How many standard errors the thirds must differ by. For independent batches 4.5 would err once in a hundred runs
(Tukey's studentised range, 3 means, 27 degrees of freedom); queues carry over from batch to batch. At 8, of 1,500
simulated steady queues of 80 % utilisation each (exponential, fixed and log-normal service; 60 s at 200, 10 s at 500
and 20 s at 100 requests per second) at most 0.3 % are called drifting."""


def steadiness_findings(
    sla: Sla, objectives: Sequence[ObjectiveResult], samples: Samples, target: str, *, hard: bool
) -> Iterator[Finding]:
    """What the judged samples of one target say. `objectives` are those judged on it, else empty."""
    failed = {result.name for result in objectives if result.status is VerdictStatus.FAIL}
    yield from _too_few(sla, failed, samples, target, hard=hard)
    missed = bool(failed & sla.percentiles.keys())
    yield from _drift(samples, target, MATERIAL_SHARE * tightest_ms(sla), missed=missed, hard=hard)


def fewest(q: float) -> int:
    """Samples below which not even a run without a miss shows the q-quantile to hold with 95 % confidence."""
    return math.ceil(math.log(1 - LEVEL) / math.log(q))


def _too_few(sla: Sla, failed: set[str], samples: Samples, target: str, *, hard: bool) -> Iterator[Finding]:
    """For the most demanding objective; one that has failed had samples enough."""
    needed = {name: fewest(quantile_of(name)) for name in sla.percentiles if name not in failed}
    name = max(needed, key=needed.__getitem__, default=None)
    if name is not None and len(samples) < needed[name]:
        yield Finding(
            name=TOO_FEW,
            message=f"{target}: {len(samples)} judged requests are too few for {name}, which needs {needed[name]}",
            remedy="raise traffic.window_s or traffic.offered_qps",
            hard=hard,
            target=target,
            figure=len(samples),
            threshold=needed[name],
            unit="requests",
        )


def _drift(samples: Samples, target: str, material_ms: float, *, missed: bool, hard: bool) -> Iterator[Finding]:
    """`material_ms`: by how much latency must drift to make the run INVALID."""
    thirds_ms = drift(samples)
    if thirds_ms is None:
        return
    change, material = max(thirds_ms) / min(thirds_ms) - 1, max(thirds_ms) - min(thirds_ms) > material_ms
    overload = missed and thirds_ms[0] < thirds_ms[1] < thirds_ms[2]
    yield Finding(
        name=LATENCY_DRIFT,
        message=f"{target}: median latency went from {thirds_ms[0]:.3g} over {thirds_ms[1]:.3g} to "
        f"{thirds_ms[2]:.3g} ms between the thirds of the window or its blocks"
        + (": the server does not keep up with this rate" if overload else ""),
        remedy="lower traffic.offered_qps, or use a faster ranker or more serve.workers"
        if overload
        else "raise traffic.warm_up_s until latency is steady, and look for what changes in the server",
        hard=hard and material and not overload,
        target=target,
        figure=change,
        threshold=DRIFT,
        unit="share",
    )


def drift(samples: Samples) -> tuple[float, float, float] | None:
    """Typical latency in ms of each third, where they differ for certain and by over a tenth.

    Thirds of the whole judged window, or else the first, second and last thirds of all segments together: a server that
    falls behind recovers between the blocks of a run, and falls behind again in the next.

    Each third is the geometric mean of the medians of its batches of consecutive answered requests; that the thirds
    differ by more than chance is judged by how much the batches of one third differ, as in a one-way analysis of
    variance, but by the median of the three variances: a step inside one third inflates only that one's.
    """
    order = np.lexsort((samples.due_s, samples.segment))
    latency_ms, segment = samples.latency_ms[order], samples.segment[order]
    answered = np.isfinite(latency_ms)
    ends = np.flatnonzero(np.diff(segment[answered])) + 1
    blocks = np.split(np.log(np.maximum(latency_ms[answered], _SHORTEST_MS)), ends)
    return _differing([np.concatenate(blocks)]) or (_differing(blocks) if len(blocks) > 1 else None)


def _differing(blocks: Sequence[Floats]) -> tuple[float, float, float] | None:
    """The thirds of blocks of log latencies; where there are several, what sets one apart as a whole is left out."""
    n_batches = math.ceil(BATCHES_PER_THIRD / len(blocks))
    sizes = [block.size // (3 * n_batches) for block in blocks]
    if min(sizes, default=0) < FEWEST_PER_BATCH:
        return None
    batches = [
        np.median(block[: 3 * n_batches * size].reshape(3, n_batches, size), axis=2)
        for block, size in zip(blocks, sizes, strict=True)
    ]
    overall = float(np.mean([block.mean() for block in batches]))
    joined = np.concatenate([block - block.mean() for block in batches], axis=1)
    means = joined.mean(axis=1)
    error = math.sqrt(float(np.median(joined.var(axis=1, ddof=1))) / joined.shape[1])
    if np.ptp(means) <= max(math.log1p(DRIFT), STUDENTISED_RANGE * error):
        return None
    first, second, third = np.exp(overall + means)
    return float(first), float(second), float(third)
