"""Early exit inside the kernel: one call per list, ranks found once, fewer vectors for the trees behind a sentinel."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.early_exit import Exit
from harness.engines._kernel_memory import Scratch, aligned, written_address
from harness.engines.bitblend.library import CExits, Library
from harness.engines.bitblend.program import Program
from harness.engines.bitblend.scorer import BlendScorer
from harness.ranking_data import Features, Floats

STAGE = np.dtype(
    [*((f"n_{part}", "i4") for part in ("groups", "bottoms", "tops", "trees")), ("cut", "i8"), ("base", "f8")]
)
_BEYOND = 2.0**33
"""No two sums of 32 bits are so far apart."""


class LeavingScorer:
    """Scores candidate lists, each in one call; may be called from several threads at once."""

    info: Mapping[str, Any]

    def __init__(self, whole: BlendScorer, program: Program, library: Library, exits: Exit) -> None:
        self._whole, self._functions = whole, library.functions
        self._stages = aligned(stages_of(program, exits))
        self._exits = CExits(self._stages.ctypes.data, self._stages.size, exits.k)
        self._address = ctypes.addressof(self._exits)
        self._scratch = Scratch(self._functions.leaving_scratch_bytes(whole.model, library.block_candidates))
        self.info = {**whole.info, "tolerance": whole.info["tolerance"] * self._stages.size, "whole_lists": True}

    def score(self, x: Features | Floats) -> NDArray[np.float32]:
        """Scores (n,) float32 of one candidate list x (n, n_features), as `BlendScorer.score` takes it."""
        x, wide = self._whole.checked(x)
        scores, n = np.empty(x.shape[0], dtype=np.float32), x.shape[0]
        if n:
            room = self._scratch.take(self._functions.leaving_scratch_bytes(self._whole.model, n))
            self._functions.score_leaving(
                self._whole.address, self._address, x.ctypes.data, wide, n, room.address, written_address(scores)
            )
            self._scratch.give(room)
        return scores


def stages_of(program: Program, exits: Exit) -> NDArray[np.void]:
    """What goes on between sentinels, (n_sentinels + 1,) STAGE, for a program whose groups end at them."""
    first_trees = np.concatenate([[0], np.cumsum(program.groups["n_trees"])])
    ends = [0, *np.searchsorted(program.tree, exits.sentinels).tolist(), len(program.tree)]
    groups = np.searchsorted(first_trees, ends)
    stages = np.zeros(len(ends) - 1, dtype=STAGE)
    for stage, (begin, end) in zip(stages, pairwise(groups.tolist()), strict=True):
        own = program.groups[begin:end]
        stage["n_groups"], stage["n_trees"] = end - begin, own["n_trees"].sum()
        stage["n_bottoms"], stage["n_tops"] = own["n_bottoms"].sum(), own["n_tops"].sum()
    stages["base"] = exits.base_score + np.cumsum(program.leaves.middles)[np.array(ends[1:]) - 1]
    stages["base"][-1] = program.base
    stages["cut"][:-1] = [math.ceil(max(cut / program.scale, -_BEYOND)) for cut in exits.cuts]
    return stages
