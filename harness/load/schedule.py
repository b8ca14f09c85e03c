"""The schedule: when which request is due, planned before the run and the same for every target of a round.

A run is `traffic.rounds` rounds of one segment per target. Even rounds visit the targets in the order given, odd
rounds in reverse, so that a linear drift of the machine weighs on all of them alike. A segment is `warm_up_s` that is
discarded, then `window_s / rounds` that is judged; within a round all segments share due times and bodies. Where
several workers share the traffic, each has a schedule of its own with the same segments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import LoadError
from harness.load.arrivals import Share, due_times
from harness.load.streams import SCHEDULE_STREAM, stream
from harness.load.trace import NO_TRACE
from harness.ranking_data import Floats
from harness.scenario.traffic import Traffic


@dataclass(frozen=True)
class Segment:
    """One block of a run against one target.

    due_s: (n,) seconds from the start of the segment, ascending; empty for closed arrival, where a request is due when
    the one before it has ended; body: (m,) index of each request's body, m = n (closed: m > 0, repeated as needed).
    """

    round: int
    target: int
    warm_up_s: float
    duration_s: float
    due_s: Floats
    body: NDArray[np.int32]


@dataclass(frozen=True)
class Schedule:
    """Segments in the order they run, and a SHA-256 over all that is planned."""

    segments: tuple[Segment, ...]
    sha256: str

    @property
    def n_planned(self) -> int:
        """Planned requests over all segments; 0 for closed arrival, which plans none."""
        return sum(segment.due_s.size for segment in self.segments)

    @property
    def duration_s(self) -> float:
        """Planned time of all segments."""
        return sum(segment.duration_s for segment in self.segments)


def plan(
    traffic: Traffic,
    n_targets: int,
    n_bodies: int,
    first_round: int = 0,
    share: Share = Share(),  # noqa: B008
    trace: Floats = NO_TRACE,
) -> Schedule:
    """Plan one worker's segments of `traffic.rounds` rounds.

    Rounds from `first_round` on draw on streams of their own, so that a later call continues an earlier one.
    """
    window_s = traffic.window_s / traffic.rounds
    duration_s = traffic.warm_up_s + window_s
    segments: list[Segment] = []
    what = f"{traffic.arrival} {traffic.warm_up_s!r} {window_s!r} {n_targets} {share.worker}/{share.n_workers} "
    sha = hashlib.sha256(what.encode() + trace.astype("<f8").tobytes())
    for round_ in range(first_round, first_round + traffic.rounds):
        rng = stream(traffic.seed, SCHEDULE_STREAM, round_, share.worker)
        due_s = due_times(traffic, share, round_, duration_s, rng, trace)
        n_drawn = n_bodies if traffic.arrival == "closed" else due_s.size
        body = rng.integers(n_bodies, size=n_drawn, dtype=np.int32)
        sha.update(due_s.astype("<f8").tobytes())
        sha.update(body.astype("<i4").tobytes())
        order = range(n_targets) if round_ % 2 == 0 else reversed(range(n_targets))
        segments += [Segment(round_, target, traffic.warm_up_s, duration_s, due_s, body) for target in order]
    return Schedule(tuple(segments), sha.hexdigest())


def plan_all(
    traffic: Traffic, n_targets: int, n_bodies: int, first_round: int, n_workers: int, trace: Floats
) -> tuple[Schedule, ...]:
    """The schedules of all workers; LoadError where some judged window would see no request from any of them."""
    schedules = tuple(
        plan(traffic, n_targets, n_bodies, first_round, Share(k, n_workers), trace) for k in range(n_workers)
    )
    for together in zip(*(schedule.segments for schedule in schedules), strict=True):
        seen = any((segment.due_s >= segment.warm_up_s).any() for segment in together)
        if traffic.arrival != "closed" and not seen:
            raise LoadError(
                f"no request falls into a judged window of {traffic.window_s / traffic.rounds:g} s "
                f"at {traffic.offered_qps:g} requests/s",
                where="traffic",
                remedy="raise window_s or offered_qps, or lower rounds",
            )
    return schedules


def digest(schedules: Sequence[Schedule]) -> str:
    """One SHA-256 over the schedules of all workers; that of the only one where there is one."""
    if len(schedules) == 1:
        return schedules[0].sha256
    return hashlib.sha256("".join(schedule.sha256 for schedule in schedules).encode()).hexdigest()
