"""Arrival processes: when requests are due within a segment.

The traffic of N workers is N streams that superpose to the planned whole: independent Poisson streams at an N-th of the
rate, combs of equal gaps that interleave, and the recorded arrivals dealt round robin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.load.streams import BURST_STREAM, stream
from harness.ranking_data import Floats
from harness.scenario.traffic import Burst, Traffic


@dataclass(frozen=True)
class Share:
    """One worker's part of the traffic: that of worker `worker` (from 0) of `n_workers`."""

    worker: int = 0
    n_workers: int = 1


def due_times(
    traffic: Traffic, share: Share, round_: int, duration_s: float, rng: np.random.Generator, trace: Floats
) -> Floats:
    """Ascending seconds from the start of a round's segment, below `duration_s`; empty for closed arrival.

    `rng` is the worker's own stream of that round; `trace` is the recording (see `harness.load.trace`) that replay goes
    on with from round to round.
    """
    match traffic.arrival:
        case "closed":
            return np.empty(0)
        case "constant":
            gap_s = 1.0 / traffic.offered_qps
            return _before(duration_s, np.arange(share.worker, duration_s / gap_s + 1, share.n_workers) * gap_s)
        case "replay":
            rate_qps = traffic.offered_qps if traffic.rescale_arrivals else 0.0
            return replayed(trace, round_ * duration_s, duration_s, rate_qps)[share.worker :: share.n_workers]
        case "bursty":
            phase = stream(traffic.seed, BURST_STREAM, round_).random()  # the same for all workers
            return _bursty(traffic.burst, traffic.offered_qps / share.n_workers, phase, duration_s, rng)
    return _poisson(traffic.offered_qps / share.n_workers, duration_s, rng)


def replayed(trace: Floats, start_s: float, duration_s: float, rate_qps: float = 0.0) -> Floats:
    """The part of a recording that is due in `duration_s` from `start_s` on, as seconds from there.

    A recording shorter than that repeats, one mean gap after its last arrival. `rate_qps` stretches it to that mean
    rate; 0 leaves it as recorded.
    """
    n = trace.size
    length_s = float(trace[-1]) * n / (n - 1)
    if rate_qps:
        trace, length_s = trace * (n / rate_qps / length_s), n / rate_qps
    first, last = math.floor(start_s / length_s), math.floor((start_s + duration_s) / length_s)
    laid = np.concatenate([trace + turn * length_s for turn in range(first, last + 1)]) - start_s
    return _before(duration_s, laid[laid >= 0])


def _bursty(burst: Burst, qps: float, phase: float, duration_s: float, rng: np.random.Generator) -> Floats:
    """A Poisson process on the time that is on, at so much more than `qps` that its mean over all time is `qps`.

    `phase` in [0, 1) is how much of a period has passed at the start; uniform, it makes every window's mean `qps` too.
    """
    period_s = burst.on_s + burst.off_s
    passed_s = phase * period_s
    n_bursts = math.ceil((passed_s + duration_s) / period_s)
    on_s = _poisson(qps * period_s / burst.on_s, n_bursts * burst.on_s, rng)
    due_s: Floats = on_s + np.floor(on_s / burst.on_s) * burst.off_s - passed_s
    return _before(duration_s, due_s[due_s >= 0])


def _poisson(qps: float, duration_s: float, rng: np.random.Generator) -> Floats:
    gap_s = 1.0 / qps
    n_expected = int(duration_s / gap_s)
    pieces: list[NDArray[np.float64]] = []
    end_s = 0.0
    while end_s < duration_s:
        pieces.append(end_s + np.cumsum(rng.exponential(gap_s, n_expected + 16)))
        end_s = float(pieces[-1][-1])
    return _before(duration_s, np.concatenate(pieces))


def _before(end_s: float, due_s: Floats) -> Floats:
    return due_s[: int(np.searchsorted(due_s, end_s))]
