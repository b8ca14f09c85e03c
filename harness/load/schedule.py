"""The schedule: when which request is due, planned before the run and the same for every target of a round.

A run is `traffic.rounds` rounds of one segment per target. Even rounds visit the targets in the order given, odd
rounds in reverse, so that a linear drift of the machine weighs on all of them alike. A segment is `warm_up_s` that is
discarded, then `window_s / rounds` that is judged; within a round all segments share due times and bodies.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import LoadError
from harness.ranking_data import Floats
from harness.scenario.schema import Traffic

SCHEDULE_STREAM = 0
CANDIDATE_STREAM = 1


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


def stream(seed: int, *key: int) -> np.random.Generator:
    """An independent PCG64 stream of a scenario's traffic seed."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def plan(traffic: Traffic, n_targets: int, n_bodies: int) -> Schedule:
    """Plan every segment; LoadError where some judged window would see no request."""
    window_s = traffic.window_s / traffic.rounds
    duration_s = traffic.warm_up_s + window_s
    segments: list[Segment] = []
    sha = hashlib.sha256(f"{traffic.arrival} {traffic.warm_up_s!r} {window_s!r} {n_targets}".encode())
    for round_ in range(traffic.rounds):
        rng = stream(traffic.seed, SCHEDULE_STREAM, round_)
        due_s = _due_s(traffic, duration_s, rng)
        if traffic.arrival != "closed" and not (due_s >= traffic.warm_up_s).any():
            raise LoadError(
                f"no request falls into a judged window of {window_s:g} s at {traffic.offered_qps:g} requests/s",
                where="traffic",
                remedy="raise window_s or offered_qps, or lower rounds",
            )
        n_drawn = due_s.size if due_s.size else n_bodies
        body = rng.integers(n_bodies, size=n_drawn, dtype=np.int32)
        sha.update(due_s.astype("<f8").tobytes())
        sha.update(body.astype("<i4").tobytes())
        order = range(n_targets) if round_ % 2 == 0 else reversed(range(n_targets))
        segments += [Segment(round_, target, traffic.warm_up_s, duration_s, due_s, body) for target in order]
    return Schedule(tuple(segments), sha.hexdigest())


def _due_s(traffic: Traffic, duration_s: float, rng: np.random.Generator) -> Floats:
    """Due times below `duration_s`: a Poisson process has exponential gaps, constant arrival has equal ones."""
    if traffic.arrival == "closed":
        return np.empty(0)
    gap_s = 1.0 / traffic.offered_qps
    n_expected = int(duration_s / gap_s)
    if traffic.arrival == "constant":
        return _before(duration_s, np.arange(n_expected + 1, dtype=np.float64) * gap_s)
    pieces: list[Floats] = []
    end_s = 0.0
    while end_s < duration_s:
        pieces.append(end_s + np.cumsum(rng.exponential(gap_s, n_expected + 16)))
        end_s = float(pieces[-1][-1])
    return _before(duration_s, np.concatenate(pieces))


def _before(end_s: float, due_s: Floats) -> Floats:
    return due_s[: int(np.searchsorted(due_s, end_s))]
