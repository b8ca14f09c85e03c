"""Forest -> Treelite, LightGBM: the libraries score it as the forest itself does, bit for bit."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import treelite
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ModelError
from harness.trees.formats.lightgbm_text import to_text
from harness.trees.formats.treelite_model import from_treelite, to_treelite
from harness.trees.pruning.collapse import collapses
from harness.trees.traverse import leaf_indices, predict

SHAPES = st.lists(st.integers(0, 12), min_size=1, max_size=6)
SEEDS = st.integers(0, 2**31)


def gtil(model, x):
    return treelite.gtil.predict(model, x, nthread=1, pred_margin=True).ravel()


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, splits=SHAPES, average=st.booleans(), categories=st.sampled_from(["", "missing-right"]))
def test_treelite_and_lightgbm_score_the_same(forest_of, awkward_rows, seed, splits, average, categories):
    forest = forest_of(seed, splits, average=average, categories=categories)
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
    categories=st.sampled_from(["", "any"]),
)
def test_a_forest_comes_back_from_treelite_whole(
    forest_of, awkward_rows, seed, splits, operator, threshold_type, base_score, categories
):
    forest = forest_of(
        seed,
        splits,
        categories=categories,
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
        operator if any(tree.is_numerical.any() for tree in forest.trees) else "<=",
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


def test_categories_survive_collapses_and_both_formats(forest_of, awkward_rows):
    forest = forest_of(11, [14, 0, 9], categories="missing-right")
    order = collapses(forest)
    x = awkward_rows(11, 300)
    for m in range(0, len(order), 4):
        smaller = order.after(m)
        expected = predict(smaller, x)
        assert np.array_equal(gtil(to_treelite(smaller), x), expected)
        booster = lightgbm.Booster(model_str=to_text(smaller))
        assert np.array_equal(booster.predict(x, raw_score=True, num_threads=1), expected)
        expected_by_node = [
            value[leaf] for value, leaf in zip(order.leaf_values(m), leaf_indices(forest, x), strict=True)
        ]
        np.testing.assert_allclose(np.sum(expected_by_node, axis=0), expected, rtol=1e-12, atol=1e-12)


def test_lightgbm_text_refuses_categories_that_missing_values_belong_to(forest_of):
    forest = forest_of(1, [60], categories="any")
    with pytest.raises(ModelError, match=r"tree 0, node \d+ splits by category and sends missing values left"):
        to_text(forest)


@pytest.mark.parametrize(
    "fields", [{"operator": "<"}, {"threshold_type": "float32"}, {"base_score": 1.0}, {"average": True}]
)
def test_lightgbm_text_refuses_what_it_cannot_hold(forest_of, fields):
    with pytest.raises(ModelError, match="which this forest is not"):
        to_text(forest_of(1, [2], **fields))
