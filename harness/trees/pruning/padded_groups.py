"""Query groups as rows of padded matrices, so that sorting and pairing run over many groups in one numpy call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.ranking_data import Floats, RankingData


@dataclass(frozen=True)
class GroupBlock:
    """Query groups of like size.

    row: (n_groups, width) row of each candidate in the data, n_rows where a group has ended;
    gain: (n_groups, width) 2^grade - 1, -1 where a group has ended; ideal_dcg: (n_groups,) at the cutoff.
    """

    row: NDArray[np.int64]
    gain: Floats
    ideal_dcg: Floats

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n_groups, width) True where there is a candidate."""
        mask: NDArray[np.bool_] = self.gain >= 0
        return mask


def discounts(n: int, k: int | None = None) -> Floats:
    """1 / log2(rank + 1) of ranks 1..n, 0 after rank k."""
    discount: Floats = 1.0 / np.log2(np.arange(n) + 2.0)
    if k is not None:
        discount[k:] = 0.0
    return discount


def group_blocks(data: RankingData, k: int) -> list[GroupBlock]:
    """The groups that have a positive grade (no ranking of the others is better than another), by size.

    Widths are powers of two, so padding at most doubles the work.
    """
    gain = np.append(np.exp2(data.grades.astype(np.float64)) - 1.0, -1.0)
    best = np.maximum.reduceat(data.grades, data.offsets[:-1])
    width = np.exp2(np.ceil(np.log2(data.group_sizes))).astype(np.int64)
    return [_block(data, np.flatnonzero((width == size) & (best > 0)), gain, k) for size in np.unique(width[best > 0])]


def sliced(block: GroupBlock, most_cells: int) -> Iterator[GroupBlock]:
    """The block in parts of at most `most_cells` cells (at least one group)."""
    step = max(1, most_cells // block.row.shape[1])
    for start in range(0, block.row.shape[0], step):
        part = slice(start, start + step)
        yield GroupBlock(block.row[part], block.gain[part], block.ideal_dcg[part])


def places_best_first(scores: Floats) -> NDArray[np.int64]:
    """Places along the last axis in descending order of score (..., width), equal scores in the order of places.

    One sort of integers: leading bits of the score, then the place in as many bits as it needs. Scores that differ
    only in the bits so taken (by 2^-40 of their size, for groups of 4,096) count as equal.
    """
    width = scores.shape[-1]
    low = (1 << max(width - 1, 1).bit_length()) - 1
    bits = (0.0 - scores).view(np.int64)  # 0 - x, not -x: there shall be but one zero
    ordered = bits ^ ((bits >> 63) & np.int64(0x7FFF_FFFF_FFFF_FFFF))
    keys = (ordered & ~np.int64(low)) | np.arange(width)
    keys.sort(axis=-1)
    return keys & np.int64(low)


def _block(data: RankingData, groups: NDArray[np.intp], gain: Floats, k: int) -> GroupBlock:
    sizes, starts = data.group_sizes[groups], data.offsets[groups]
    place = np.arange(int(sizes.max()))
    row = np.where(place < sizes[:, None], starts[:, None] + place, data.n_rows)
    best_first = -np.sort(-gain[row], axis=1)[:, :k]
    ideal = np.maximum(best_first, 0.0) @ discounts(best_first.shape[1])
    return GroupBlock(row, gain[row], ideal)
