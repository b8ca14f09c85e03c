"""Runs: how many products of bytes and weights a partial sum takes before it has to be widened, by the weights' proof.

A partial sum is of 16 bits and wraps around. Over the groups of its run, each of which brings it two products, it lies
between the sum of its negative and that of its positive products at their largest bytes, whatever the bytes are. Where
these are less than 2^16 apart, a sum that starts as far below 0 as their middle lies above ends as the number that it
stands for. What the starts took off is added to the biases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import EngineError

Integers = NDArray[np.int64]

GROUP, QUAD = 4, 4
REMEDY = "use engine: native or onnxruntime_int8"


@dataclass(frozen=True)
class Runs:
    """lengths: (n_runs,) in groups, quad by quad; stream: bytes of a start and then of the run's groups, run by run;
    taken_off: (n_quads, 4) by the starts of each output."""

    lengths: NDArray[np.int32]
    stream: NDArray[np.int8]
    taken_off: Integers


def runs_of(quads: NDArray[np.int8], most: Integers, *, partial_bits: int, where: str) -> Runs:
    """Cut quads (n_quads, n_groups, 4 outputs, 4 inputs) into the longest runs; most: (n_groups, 4) largest bytes.

    Partial sums of 32 bits take everything. EngineError where two products are too many for 16.
    """
    n_quads, n_groups = quads.shape[:2]
    if partial_bits == 32:
        whole = np.concatenate([np.zeros_like(quads[:, :1]), quads], axis=1)
        lengths = np.full(n_quads, n_groups, dtype=np.int32)
        return Runs(lengths, whole.ravel(), np.zeros((n_quads, QUAD), dtype=np.int64))
    low, high = _ranges(quads, most)
    if max(-low.min(initial=0), high.max(initial=0)) >= 1 << 15:
        raise EngineError(
            "the CPU would cut off the sum of two products of a byte and a weight of over 7 bits",
            where=where,
            remedy=REMEDY,
        )
    first = np.flatnonzero(_begins(high - low))
    middle = (np.add.reduceat((low + high).reshape(-1, QUAD, GROUP // 2), first) + 1) // 2
    starts = (-middle).astype("<i2").view(np.int8).reshape(first.size, -1)
    taken_off = np.zeros((n_quads, QUAD), dtype=np.int64)
    np.add.at(taken_off, first // n_groups, middle.sum(axis=-1))
    lengths = np.diff(first, append=n_quads * n_groups).astype(np.int32)
    stream = np.insert(quads.reshape(n_quads * n_groups, -1), first, starts, axis=0)
    return Runs(lengths, stream.ravel(), taken_off)


def _ranges(quads: NDArray[np.int8], most: Integers) -> tuple[Integers, Integers]:
    """Least and greatest sum of the two products that a group brings to each partial sum, (n_quads, n_groups, 4, 2)."""
    products = quads.astype(np.int64) * most[:, None, :]
    ends = (products.clip(None, 0), products.clip(0))
    low, high = (end.reshape(*quads.shape[:3], GROUP // 2, 2).sum(axis=-1) for end in ends)
    return low, high


def _begins(widths: Integers) -> NDArray[np.bool_]:
    """Where a run begins, (n_quads, n_groups): with each quad, and where its widths would come to 2^16."""
    begins = np.zeros(widths.shape[:2], dtype=bool)
    total = np.full((widths.shape[0], *widths.shape[2:]), 1 << 16, dtype=np.int64)
    for group in range(widths.shape[1]):
        total += widths[:, group]
        full = (total >= 1 << 16).any(axis=(1, 2))
        total[full] = widths[full, group]
        begins[:, group] = full
    return begins
