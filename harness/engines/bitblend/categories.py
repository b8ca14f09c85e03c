"""Sets of categories as the kernel tests them: a byte for each category, a bit of each set for that byte.

Categories that no set of a column tells apart share a code, so that a column takes sets as long as 256 codes suffice:
8 of them at least. A missing value has a code, and so has whatever no set of the column lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.trees.forest import Ints

CATEGORIES = np.dtype([(name, "i4") for name in ("feature", "n_categories", "codes", "n_sets", "set", "row")])
"""`struct categories` of model.h."""
LARGEST_CATEGORY = (1 << 24) - 1
"""Beyond it float32 does not have every whole number."""
_N_CODES = 256
_MISSING, _OTHER, _FIRST = 0, 1, 2


@dataclass(frozen=True)
class CategorySet:
    """What a split by category asks: is the feature one of the categories, or missing where those go left too?"""

    feature: int
    default_left: bool
    categories: Ints

    @property
    def key(self) -> tuple[int, bool, bytes]:
        """Equal for splits that ask the same."""
        return self.feature, self.default_left, self.categories.tobytes()


@dataclass(frozen=True)
class CategoryColumns:
    """columns: CATEGORIES; codes: uint8, tables on end; sets (n_sets, 32): uint8, bits by code; n_rows: a row per set.

    row (n_splits,): of each split that was given.
    """

    columns: NDArray[np.void]
    codes: NDArray[np.uint8]
    sets: NDArray[np.uint8]
    n_rows: int
    row: NDArray[np.int64]


def category_columns_of(splits: Iterable[CategorySet], first_row: int) -> CategoryColumns:
    """Columns for the distinct sets of `splits`; their rows are numbered from `first_row` on."""
    keys = [(split.key, split) for split in splits]
    distinct = dict(sorted(keys, key=lambda pair: pair[0][:2]))
    rows = {key: first_row + index for index, key in enumerate(distinct)}
    columns, tables, bits = [], [], []
    n_bytes = n_sets = 0
    for feature in sorted({split.feature for split in distinct.values()}):
        for codes, sets in _columns([split for split in distinct.values() if split.feature == feature]):
            columns.append((feature, codes.size - _FIRST, n_bytes, len(sets), n_sets, first_row + n_sets))
            n_bytes, n_sets = n_bytes + codes.size, n_sets + len(sets)
            tables.append(codes)
            bits += sets
    return CategoryColumns(
        columns=np.array(columns, dtype=CATEGORIES),
        codes=np.concatenate([np.empty(0, dtype=np.uint8), *tables]),
        sets=np.array(bits, dtype=np.uint8).reshape(-1, _N_CODES // 8),
        n_rows=n_sets,
        row=np.array([rows[key] for key, _ in keys], dtype=np.int64),
    )


def _columns(splits: list[CategorySet]) -> Iterator[tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]]:
    """Codes (2 + n_categories,) and sets of each column for the sets of one feature."""
    size = _FIRST + 1 + max(int(split.categories.max(initial=-1)) for split in splits)
    codes, members = np.zeros(size, dtype=np.int64), list[NDArray[np.bool_]]()
    for split in splits:
        member = np.zeros(size, dtype=bool)
        member[_MISSING] = split.default_left
        member[_FIRST + split.categories] = True
        finer = _parted(codes, member)
        if finer.max() >= _N_CODES:
            yield _packed(codes, members)
            finer, members = _parted(np.zeros_like(codes), member), []
        codes = finer
        members.append(member)
    yield _packed(codes, members)


def _parted(codes: NDArray[np.int64], member: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Codes that also tell members from the rest, without gaps."""
    both = 2 * codes + member
    present = np.zeros(2 * _N_CODES, dtype=np.int64)
    present[both] = 1
    return (np.cumsum(present) - 1)[both]


def _packed(
    codes: NDArray[np.int64], members: list[NDArray[np.bool_]]
) -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]:
    sets = []
    for member in members:
        by_code = np.zeros(_N_CODES, dtype=bool)
        by_code[codes[member]] = True
        sets.append(np.packbits(by_code, bitorder="little"))
    return codes.astype(np.uint8), sets
