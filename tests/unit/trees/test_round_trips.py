"""Forest -> Treelite, LightGBM: the libraries score it as the forest itself does, bit for bit."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import treelite
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ModelError
from harness.trees.lightgbm_text import to_text
from harness.trees.traverse import predict
from harness.trees.treelite_model import from_treelite, to_treelite

SHAPES = st.lists(st.integers(0, 12), min_size=1, max_size=6)
SEEDS = st.integers(0, 2**31)


def gtil(model, x):
    return treelite.gtil.predict(model, x, nthread=1, pred_margin=True).ravel()


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, splits=SHAPES, average=st.booleans())
def test_treelite_and_lightgbm_score_the_same(forest_of, awkward_rows, seed, splits, average):
    forest = forest_of(seed, splits, average=average)
    x = awkward_rows(seed, 64)
    expected = predict(forest, x)
    assert np.array_equal(gtil(to_treelite(forest), x), expected)
    if not average:
        booster = lightgbm.Booster(model_str=to_text(forest))
        assert np.array_equal(booster.predict(x, raw_score=True, num_threads=1), expected)


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    splits=SHAPES,
    operator=st.sampled_from(["<", "<="]),
    threshold_type=st.sampled_from(["float32", "float64"]),
    base_score=st.sampled_from([0.0, 0.5, -2.25]),
)
def test_a_forest_comes_back_from_treelite_whole(
    forest_of, awkward_rows, seed, splits, operator, threshold_type, base_score
):
    forest = forest_of(
        seed,
        splits,
        operator=operator,
        threshold_type=threshold_type,
        base_score=base_score,
        postprocessor="sigmoid",
        sigmoid_alpha=2.0,
        task="kBinaryClf",
    )
    narrow = np.dtype(threshold_type).type
    if threshold_type == "float32":  # a forest of float32 holds numbers that are exact in float32
        forest = from_treelite(to_treelite(forest))
    back = from_treelite(to_treelite(forest))
    x = awkward_rows(seed, 64)
    assert np.array_equal(predict(back, x), predict(forest, x))
    assert np.array_equal(gtil(to_treelite(forest), x).astype(narrow), predict(forest, x).astype(narrow))
    assert (back.operator, back.threshold_type, back.base_score) == (
        operator if forest.n_nodes > len(splits) else "<=",
        threshold_type,
        base_score,
    )
    assert (back.postprocessor, back.sigmoid_alpha, back.task) == ("sigmoid", 2.0, "kBinaryClf")
    assert [tree.cover.tolist()[0] for tree in back.trees] == [tree.cover.tolist()[0] for tree in forest.trees]


def test_treelite_reads_the_written_text_as_lightgbm_does(forest_of, awkward_rows, tmp_path):
    forest = forest_of(3, [9, 0, 4])
    (tmp_path / "model.txt").write_text(to_text(forest))
    back = from_treelite(treelite.frontend.load_lightgbm_model(tmp_path / "model.txt"))
    x = awkward_rows(3, 500)
    assert np.array_equal(predict(back, x), predict(forest, x))
    assert [tree.n_nodes for tree in back.trees] == [19, 1, 9]


@pytest.mark.parametrize(
    "fields", [{"operator": "<"}, {"threshold_type": "float32"}, {"base_score": 1.0}, {"average": True}]
)
def test_lightgbm_text_refuses_what_it_cannot_hold(forest_of, fields):
    with pytest.raises(ModelError, match="which this forest is not"):
        to_text(forest_of(1, [2], **fields))
