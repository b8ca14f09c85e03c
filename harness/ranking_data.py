"""Ranking data in memory: query groups of candidates with features and grades, and the splits of a dataset."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

Floats = NDArray[np.float64]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class RankingData:
    """One split of a dataset.

    features: (n_rows, n_features) float32, NaN for missing; grades: (n_rows,) int32, >= 0;
    group_sizes: (n_groups,) int64, rows of one query group stand together; sum(group_sizes) == n_rows.
    """

    name: str
    features: Features
    grades: NDArray[np.int32]
    group_sizes: NDArray[np.int64]
    feature_names: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """Number of candidates over all query groups."""
        return int(self.features.shape[0])

    @property
    def n_features(self) -> int:
        """Number of feature columns."""
        return int(self.features.shape[1])

    @property
    def n_groups(self) -> int:
        """Number of query groups."""
        return int(self.group_sizes.shape[0])

    @property
    def graded(self) -> bool:
        """Whether any candidate has a grade above 0; without one nothing can be said of quality."""
        return bool((self.grades > 0).any())

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """(n_groups + 1,) row at which each query group starts, and the end."""
        return np.concatenate([[0], np.cumsum(self.group_sizes)]).astype(np.int64)

    @cached_property
    def group_of_row(self) -> NDArray[np.int64]:
        """(n_rows,) the query group of each row."""
        return np.repeat(np.arange(self.n_groups), self.group_sizes)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the content of all arrays."""
        sha = hashlib.sha256()
        for array in (self.features, self.grades, self.group_sizes):
            sha.update(np.ascontiguousarray(array).view(np.uint8).data)
        sha.update("\0".join(self.feature_names).encode())
        return sha.hexdigest()

    def rows_of(self, group: int) -> slice:
        """The rows of one query group."""
        return slice(int(self.offsets[group]), int(self.offsets[group + 1]))

    def take_groups(self, groups: NDArray[np.int64]) -> RankingData:
        """The named query groups, in the order given."""
        sizes = self.group_sizes[groups]
        starts = np.repeat(self.offsets[groups] - np.cumsum(sizes) + sizes, sizes)
        index = starts + np.arange(int(sizes.sum()))
        return RankingData(self.name, self.features[index], self.grades[index], sizes, self.feature_names)

    def thinned(self, max_rows: int) -> RankingData:
        """Evenly spaced query groups with about `max_rows` rows in all; itself where it has no more."""
        if self.n_rows <= max_rows:
            return self
        n_groups = max(1, self.n_groups * max_rows // self.n_rows)
        return self.take_groups(np.arange(n_groups) * self.n_groups // n_groups)

    def centred(self, values: NDArray[np.floating]) -> Floats:
        """Values (..., n_rows) less their mean in each query group, which no ranking depends on."""
        wide = values.astype(np.float64)
        means = np.add.reduceat(wide, self.offsets[:-1], axis=-1) / self.group_sizes
        return wide - np.repeat(means, self.group_sizes, axis=-1)

    def checked(self) -> RankingData:
        """Itself, or a DataError that names the split, the row and the remedy."""
        where = f"dataset split {self.name!r}"
        if self.n_groups == 0 or self.n_rows == 0:
            raise DataError("no query groups", where=where, remedy="give data with at least one query group per split")
        if self.features.ndim != 2 or len(self.feature_names) != self.n_features:
            raise DataError(
                f"{len(self.feature_names)} feature names for features of shape {self.features.shape}", where=where
            )
        if (self.group_sizes <= 0).any():
            raise DataError(f"query group {int(np.argmin(self.group_sizes))} is empty", where=where)
        if int(self.group_sizes.sum()) != self.n_rows or self.grades.shape != (self.n_rows,):
            raise DataError(
                f"{self.n_rows} rows, {self.grades.size} grades, groups of {int(self.group_sizes.sum())} rows in all",
                where=where,
            )
        if (self.grades < 0).any():
            row = int(np.argmax(self.grades < 0))
            raise DataError(
                f"grade {int(self.grades[row])} in row {row}", where=where, remedy="grades are whole numbers >= 0"
            )
        if not self.graded:
            raise DataError(
                "no candidate has a grade above 0",
                where=where,
                remedy="NDCG is undefined without a positive; check the grade column",
            )
        return self


@dataclass(frozen=True)
class Splits:
    """A dataset: `train` to fit, `valid` for every choice, `test` for figures and for the candidates of requests."""

    train: RankingData
    valid: RankingData
    test: RankingData

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the three splits."""
        return hashlib.sha256("".join(s.digest for s in (self.train, self.valid, self.test)).encode()).hexdigest()

    def checked(self) -> Splits:
        """Itself, or a DataError naming the split at fault."""
        for split in (self.train, self.valid, self.test):
            split.checked()
            if split.feature_names != self.train.feature_names:
                raise DataError(
                    f"{split.n_features} features where train has {self.train.n_features}",
                    where=f"dataset split {split.name!r}",
                    remedy="all splits need the same feature columns in the same order",
                )
        return self
