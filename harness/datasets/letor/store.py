"""Parsed splits on disk: `NAME.f32`, the features row by row as raw float32, and `NAME.npz`, everything else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets._grouping import group_rows
from harness.datasets.letor.lines import Block
from harness.errors import ModelError
from harness.ranking_data import Features, RankingData

LAYOUT = 1
"""Version of what is written here; part of the cache key."""
_SLAB_VALUES = 8 << 20


class Spool:
    """The rows of one split on their way to disk, in file order and as wide as needed so far."""

    def __init__(self, directory: Path, name: str) -> None:
        self.n_rows, self.width = 0, 0
        self._stem = directory / name
        self._slabs: list[tuple[int, int]] = []
        self._grades: list[NDArray[np.int32]] = []
        self._queries: list[NDArray[np.int64]] = []
        self._sizes: NDArray[np.int64] | None = None
        self._features.touch()

    @property
    def _features(self) -> Path:
        return self._stem.with_suffix(".f32")

    def append(self, block: Block) -> None:
        """Add the rows of a block, at most `_SLAB_VALUES` dense values in memory at a time."""
        n_rows = block.grades.size
        self.width = max(self.width, block.width)
        slab_rows = max(_SLAB_VALUES // max(self.width, 1), 1)
        with self._features.open("ab") as file:
            for start in range(0, n_rows, slab_rows):
                stop = min(start + slab_rows, n_rows)
                entries = slice(*np.searchsorted(block.rows, [start, stop]))
                slab = np.zeros((stop - start, self.width), np.float32)
                slab[block.rows[entries] - start, block.columns[entries]] = block.values[entries]
                file.write(slab.data)
                self._slabs.append((stop - start, self.width))
        self.n_rows += n_rows
        self._grades.append(block.grades)
        self._queries.append(block.queries)

    def group_by(self, sizes: NDArray[np.int64]) -> None:
        """Take the query groups from their sizes instead of from the queries."""
        self._sizes = sizes

    def finish(self, width: int) -> None:
        """Bring the rows to `width` columns and the rows of each query together; write the grades and sizes."""
        order, sizes = np.arange(self.n_rows), self._sizes
        if sizes is None:
            order, sizes = group_rows(np.concatenate(self._queries))
        moved = bool((np.diff(order) < 0).any())
        if moved or any(slab_width != width for _, slab_width in self._slabs):
            self._rewrite(order, width)
        grades = np.concatenate(self._grades)[order]
        np.savez(self._stem.with_suffix(".npz"), grades=grades, group_sizes=sizes, n_features=np.int64(width))

    def _rewrite(self, order: NDArray[np.int64], width: int) -> None:
        target = np.empty(self.n_rows, np.int64)
        target[order] = np.arange(self.n_rows)
        rewritten = self._stem.with_suffix(".tmp")
        with rewritten.open("wb") as file:
            file.truncate(self.n_rows * width * 4)
        start = 0
        with self._features.open("rb") as file:
            for n_rows, slab_width in self._slabs:
                slab = np.zeros((n_rows, width), np.float32)
                slab[:, :slab_width] = np.fromfile(file, np.float32, n_rows * slab_width).reshape(n_rows, slab_width)
                rows = target[start : start + n_rows]
                low = int(rows.min())
                # Mapped anew for each slab, so that written pages do not pile up in this process.
                shape = (int(rows.max()) - low + 1, width)
                out = np.memmap(rewritten, np.float32, mode="r+", offset=low * width * 4, shape=shape)
                out[rows - low] = slab
                start += n_rows
        rewritten.replace(self._features)


def reopen(directory: Path, name: str, first_index: int) -> RankingData:
    """One split, its features mapped copy-on-write from the file; ModelError where the files are damaged."""
    stem = directory / name
    try:
        with np.load(stem.with_suffix(".npz"), allow_pickle=False) as arrays:
            grades, sizes, width = arrays["grades"], arrays["group_sizes"], int(arrays["n_features"])
        features: Features = np.asarray(
            np.memmap(stem.with_suffix(".f32"), np.float32, mode="c", shape=(grades.size, width))
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"damaged cache entry: {error}", where=str(directory)) from error
    names = tuple(f"f{first_index + column}" for column in range(width))
    return RankingData(name, features, grades, sizes, names)
