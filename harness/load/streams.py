"""The independent random streams that a scenario's traffic seed stands for."""

from __future__ import annotations

import numpy as np

SCHEDULE_STREAM, CANDIDATE_STREAM, BURST_STREAM, RANDOM_STREAM = range(4)
"""First key of a stream: what it is for."""


def stream(seed: int, *key: int) -> np.random.Generator:
    """The PCG64 stream of that key, independent of those of all other keys."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
