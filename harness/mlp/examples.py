"""What a network is taught on: rows of whole query groups with targets, in padded batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.ranking_data import Features, RankingData

_MAX_GRADE = 30


@dataclass(frozen=True)
class Examples:
    """What to learn; rows of a query group stand together.

    features: (n_rows, n_features); targets: (n_rows,) float32; gains: (n_rows,) float32 of the true grades, where they
    count beside the targets; hints: (n_rows, n_hints) float32, what a hidden layer shall tell.
    """

    features: Features
    targets: NDArray[np.float32]
    group_sizes: NDArray[np.int64]
    gains: NDArray[np.float32] | None = None
    hints: NDArray[np.float32] | None = None

    @classmethod
    def of_grades(cls, data: RankingData) -> Examples:
        """The gains of a split as targets. ModelError where a grade is too high for that."""
        return cls(data.features, gains_of(data), data.group_sizes)

    @property
    def n_groups(self) -> int:
        """Number of query groups."""
        return int(self.group_sizes.size)


@dataclass(frozen=True)
class Batch:
    """Rows of some query groups, and their places in (n_groups, longest)."""

    rows: NDArray[np.int64]
    mask: torch.Tensor

    def padded(self, values: torch.Tensor) -> torch.Tensor:
        """Values (n_rows,) as (n_groups, longest), 0 where there is no row."""
        return torch.zeros(self.mask.shape, dtype=values.dtype).masked_scatter(self.mask, values)


def batches(group_sizes: NDArray[np.int64], batch_groups: int, rng: np.random.Generator) -> Iterator[Batch]:
    """All query groups in random order, `batch_groups` at a time."""
    starts = np.cumsum(group_sizes) - group_sizes
    order = rng.permutation(group_sizes.size)
    for at in range(0, order.size, batch_groups):
        groups = order[at : at + batch_groups]
        sizes = group_sizes[groups]
        mask = np.arange(sizes.max()) < sizes[:, None]
        rows = (starts[groups][:, None] + np.arange(sizes.max()))[mask]
        yield Batch(rows, torch.from_numpy(mask))


def gains_of(data: RankingData) -> NDArray[np.float32]:
    """2^grade - 1 of every row (n_rows,). ModelError where a grade is too high for that."""
    if data.grades.max() > _MAX_GRADE:
        row = int(np.argmax(data.grades))
        raise ModelError(
            f"grade {int(data.grades[row])} in row {row}: gains are 2^grade - 1, for grades up to {_MAX_GRADE}",
            where=f"dataset split {data.name!r}",
            remedy="map the grades to a short scale, such as 0 to 4",
        )
    return np.exp2(data.grades.astype(np.float32)) - np.float32(1)
