"""All trees at once score like one tree after the other."""

from __future__ import annotations

import numpy as np
import pytest

from harness.trees.descent import made_up_rows, scores
from harness.trees.traverse import predict


@pytest.mark.parametrize("operator", ["<", "<="])
@pytest.mark.parametrize("categories", ["", "any"])
@pytest.mark.parametrize("average", [False, True])
def test_same_scores(forest_of, awkward_rows, operator, categories, average):
    forest = forest_of(4, [20, 0, 7, 1], operator=operator, categories=categories, average=average, base_score=0.5)
    x = awkward_rows(4, 300)
    np.testing.assert_allclose(scores(forest, x), predict(forest, x), rtol=1e-12)


def test_made_up_rows_are_thresholds_and_categories_and_stay_the_same(forest_of):
    forest = forest_of(5, [60, 60], categories="any")
    x = made_up_rows(forest, 100)
    assert np.array_equal(x, made_up_rows(forest, 100))
    thresholds = np.concatenate([tree.threshold[tree.is_numerical] for tree in forest.trees]).astype(np.float32)
    assert np.isin(x[:, [0, 1, 3]], thresholds).all()
    assert np.isin(x[:, 2], np.concatenate([[0], *forest.trees[0].sets])).all()
    assert len(np.unique(x, axis=0)) > 90
