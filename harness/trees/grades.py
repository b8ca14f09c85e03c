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
