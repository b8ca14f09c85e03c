"""What a Forest can't hold is refused by name."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import treelite
import xgboost
from treelite.model_builder import Metadata, ModelBuilder, PostProcessorFunc, TreeAnnotation

from harness.errors import ModelError
from harness.trees.formats.treelite_model import from_treelite
from harness.trees.traverse import predict


def train(params, x, y, **kwargs):
    dataset = lightgbm.Dataset(x, y, params={"min_data_in_bin": 1, "verbosity": -1}, **kwargs)
    booster = lightgbm.train(
        {"num_leaves": 4, "min_data_in_leaf": 1, "verbosity": -1, "num_threads": 1, "min_data_per_group": 1, **params},
        dataset,
        3,
    )
    return treelite.frontend.from_lightgbm(booster)


def built(nodes, task="kRegressor"):
    """One tree over two features; nodes are (feature, operator, left, right), or a leaf value."""
    builder = ModelBuilder(
        threshold_type="float32",
        leaf_output_type="float32",
        metadata=Metadata(2, task, False, 1, [1], (1, 1)),
        tree_annotation=TreeAnnotation(1, [0], [0]),
        postprocessor=PostProcessorFunc("identity"),
        base_scores=[0.0],
    )
    builder.start_tree()
    for key, node in enumerate(nodes):
        builder.start_node(key)
        if isinstance(node, float):
            builder.leaf(node)
        else:
            feature, opname, left, right = node
            builder.numerical_test(
                feature, 0.5, default_left=True, opname=opname, left_child_key=left, right_child_key=right
            )
        builder.end_node()
    builder.end_tree()
    return builder.commit()


def test_lightgbms_categories_are_read():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, size=(300, 1)).astype(float)
    y = np.isin(x[:, 0], [1, 3, 4]).astype(float)
    tree = from_treelite(train({"objective": "regression"}, x, y, categorical_feature=[0])).trees[0]
    assert (tree.is_categorical[0], tree.threshold[0], tree.default_left[0]) == (True, 0.0, False)
    assert tree.categories(0).tolist() in ([1, 3, 4], [0, 2, 5])


def test_xgboosts_categories_are_read_with_the_listed_side_left():
    x = np.random.default_rng(0).choice([0, 1, 2, 9, 300], (500, 1)).astype(np.float32)
    x[::7] = np.nan
    y = np.isin(x[:, 0], [1, 9]) + 2.0 * np.isnan(x[:, 0])
    matrix = xgboost.DMatrix(x, y, feature_types=["c"], enable_categorical=True)
    booster = xgboost.train({"max_depth": 3, "max_cat_to_onehot": 1, "nthread": 1}, matrix, 3)
    forest = from_treelite(treelite.frontend.from_xgboost(booster))
    assert forest.has_categories
    rows = np.float32([[0], [1], [2], [9], [9.9], [300], [301], [-0.5], [-3], [1e9], [16777216], [16777217], [np.nan]])
    expected = booster.inplace_predict(rows, predict_type="margin", missing=np.nan)
    np.testing.assert_allclose(predict(forest, rows), expected, rtol=1e-6)


def test_several_outputs_are_refused():
    x = np.random.default_rng(0).normal(size=(300, 2))
    with pytest.raises(ModelError, match="several outputs"):
        from_treelite(train({"objective": "multiclass", "num_class": 3}, x, np.arange(300) % 3))


def test_mixed_operators_are_refused():
    model = built([(0, "<", 1, 2), (1, "<=", 3, 4), 1.0, 2.0, 3.0])
    with pytest.raises(ModelError, match="all be `<` or all be `<=`"):
        from_treelite(model)


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(ModelError, match="tree 0, node 1"):
        from_treelite(built([(0, "<", 1, 2), float("nan"), 1.0]))


def test_structure_is_read():
    forest = from_treelite(built([(0, "<", 1, 2), 1.0, (1, "<", 3, 4), 2.0, 3.0]))
    assert (forest.operator, forest.n_features, forest.n_nodes, forest.n_leaves) == ("<", 2, 5, 3)
    assert not forest.has_cover
    assert [level.size for level in forest.trees[0].levels()] == [1, 2, 2]
