"""The grades that gradient-boosting libraries can turn into gains."""

from __future__ import annotations

import numpy as np

from harness.errors import ModelError
from harness.ranking_data import RankingData


def check_grades(data: RankingData, max_grade: int) -> None:
    """ModelError where a gain 2^grade - 1 would be out of the range that the library allows."""
    row = int(np.argmax(data.grades))
    if data.grades[row] > max_grade:
        raise ModelError(
            f"grade {int(data.grades[row])} in row {row}: gains are 2^grade - 1, for grades up to {max_grade}",
            where=f"dataset split {data.name!r}",
            remedy="map the grades to a short scale, such as 0 to 4",
        )


def check_contrast(data: RankingData) -> None:
    """ModelError where no query group has two different grades, so that every ranking is as good as any other."""
    starts = data.offsets[:-1]
    if (np.maximum.reduceat(data.grades, starts) == np.minimum.reduceat(data.grades, starts)).all():
        raise ModelError(
            "no query group has two different grades, so NDCG can't tell one model from another",
            where=f"dataset split {data.name!r}",
            remedy="check the grade column, or choose a method that needs no grades, such as prune_leaves",
        )
