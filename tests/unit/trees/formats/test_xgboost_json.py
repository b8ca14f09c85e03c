"""XGBoost JSON of a forest: XGBoost itself loads it and scores what the forest scores."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import treelite
import xgboost

from harness.errors import ModelError
from harness.trees.formats.treelite_model import from_treelite
from harness.trees.formats.xgboost_json import to_json
from harness.trees.traverse import predict

FEATURES = ("a", "b", "c", "d")


@pytest.fixture
def finite_rows(awkward_rows):
    """Rows without infinities, which XGBoost refuses."""
    return lambda seed, n: np.nan_to_num(awkward_rows(seed, n), nan=np.nan, posinf=3.3e38, neginf=-3.3e38)


@pytest.fixture
def trained():
    """`trained(objective, **params)`: a booster on 4 features, its JSON, its Forest."""

    def build(objective, **params):
        rng = np.random.default_rng(5)
        x = rng.normal(size=(400, 4)).astype(np.float32)
        x[::7, 1] = np.nan
        y = (x[:, 0] + rng.normal(size=400) > 0).astype(int)
        data = xgboost.DMatrix(x, label=y, feature_names=list(FEATURES), nthread=1)
        if objective.startswith("rank"):
            data.set_info(group=[20] * 20)
        booster = xgboost.train({"objective": objective, "max_depth": 3, "nthread": 1, **params}, data, 6)
        forest = from_treelite(treelite.frontend.from_xgboost(booster))
        return booster, booster.save_raw("json").decode(), forest

    return build


def margins(text, x, tmp_path):
    file = tmp_path / "model.json"
    file.write_text(text)
    booster = xgboost.Booster(model_file=str(file))
    booster.set_param({"nthread": 1})
    return booster, booster.predict(xgboost.DMatrix(x, feature_names=list(FEATURES), nthread=1), output_margin=True)


@pytest.mark.parametrize(
    ("objective", "params"),
    [
        ("rank:ndcg", {"lambdarank_pair_method": "topk", "lambdarank_num_pair_per_sample": 5}),
        ("rank:pairwise", {"base_score": 0.25}),
        ("binary:logistic", {"base_score": 0.3}),
        ("reg:squarederror", {"num_parallel_tree": 2}),
        ("rank:ndcg", {"booster": "dart", "rate_drop": 0.5, "one_drop": 1}),
    ],
)
def test_scored_by_xgboost_like_the_forest(trained, finite_rows, tmp_path, objective, params):
    source, text, forest = trained(objective, **params)
    x = finite_rows(3, 300)
    _, native = margins(to_json(forest, text), x, tmp_path)
    rows = xgboost.DMatrix(x, feature_names=list(FEATURES), nthread=1)
    assert native == pytest.approx(source.predict(rows, output_margin=True), abs=1e-6)
    fewer = forest.with_trees(tuple(replace(tree, value=tree.value * 1.7) for tree in forest.trees[1::2]))
    pruned, native = margins(to_json(fewer, text), x, tmp_path)
    assert native == pytest.approx(predict(fewer, x), abs=1e-6)
    assert pruned.num_boosted_rounds() == len(fewer.trees)
    assert pruned.feature_names == list(FEATURES)
    objectives = [json.loads(b.save_config())["learner"]["objective"] for b in (source, pruned)]
    assert objectives[0] == objectives[1]


def test_any_float32_tree_comes_through_exactly(forest_of, trained, finite_rows, tmp_path):
    _, text, trained_forest = trained("rank:ndcg", base_score=0.0)
    drawn = forest_of(4, [9, 0, 31], operator="<", threshold_type="float32")
    finite = tuple(replace(t, threshold=np.minimum(t.threshold, 3e38)) for t in drawn.trees)
    forest = replace(drawn.with_trees(finite), base_score=trained_forest.base_score)
    x = finite_rows(4, 500)
    _, native = margins(to_json(forest, text), x, tmp_path)
    assert native == pytest.approx(predict(forest, x), abs=1e-6)


@pytest.mark.parametrize("one_hot", [100, 1], ids=["one-hot", "partition"])
def test_splits_by_category_come_through(tmp_path, one_hot):
    """Missing values, categories that no split lists, that training never saw, and negative ones included."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(2000, 3)).astype(np.float32)
    x[:, 1] = rng.integers(0, 40, 2000)
    x[::9, 1] = x[::11, 0] = np.nan
    y = np.where(np.isnan(x[:, 1]), 2.0, np.sin(7 * x[:, 1])) + np.nan_to_num(x[:, 0])
    data = xgboost.DMatrix(x, y, feature_types=["q", "c", "q"], enable_categorical=True, nthread=1)
    source = xgboost.train({"max_depth": 5, "max_cat_to_onehot": one_hot, "nthread": 1}, data, 8)
    text = source.save_raw("json").decode()
    forest = from_treelite(treelite.frontend.from_xgboost(source))
    listed = [tree.categories(node).size for tree in forest.trees for node in np.flatnonzero(tree.is_categorical)]
    assert len(listed) > 20
    assert (max(listed) > 5) == (one_hot == 1)
    rows = rng.normal(size=(3000, 3)).astype(np.float32)
    rows[:, 1] = rng.choice([*range(45), 63, 64, 200, 1e5, np.nan, -1, -7], 3000)
    rows[::5, 0] = np.nan
    (tmp_path / "again.json").write_text(to_json(forest, text))
    again = xgboost.Booster(model_file=str(tmp_path / "again.json"))
    scores = [b.inplace_predict(rows, predict_type="margin", validate_features=False) for b in (source, again)]
    assert np.ptp(scores[0]) > 1
    assert scores[1] == pytest.approx(scores[0], abs=1e-6)
    assert predict(forest, rows) == pytest.approx(scores[0], abs=1e-5)
    assert again.feature_types == ["q", "c", "q"]
    back = from_treelite(treelite.frontend.from_xgboost(again))
    assert predict(back, rows) == pytest.approx(predict(forest, rows), abs=0)


def test_any_set_of_categories_comes_through(forest_of, trained, finite_rows, tmp_path):
    """Missing values to either side, however large the categories."""
    _, text, trained_forest = trained("rank:ndcg", base_score=0.0)
    drawn = forest_of(11, [9, 25, 31], categories="any", operator="<", threshold_type="float32")
    finite = [np.minimum(t.threshold, 3e38).astype(np.float32).astype(np.float64) for t in drawn.trees]
    trees = tuple(
        replace(tree, threshold=threshold, sets=(*tree.sets[:-1], tree.sets[0]))  # in place of an empty set
        for tree, threshold in zip(drawn.trees, finite, strict=True)
    )
    forest = replace(drawn.with_trees(trees), base_score=trained_forest.base_score)
    x = finite_rows(6, 500)
    x[:, 2] = np.random.default_rng(2).choice([0, 1, 2, 3, 5, 7, 31, 32, 63, 64, 65, 700, 70_000, np.nan, -1], 500)
    _, native = margins(to_json(forest, text), x, tmp_path)
    assert native == pytest.approx(predict(forest, x), abs=1e-6)
    with pytest.raises(ModelError, match=r"tree \d, node \d+ splits by a set of no categories"):
        to_json(drawn, text)


def test_what_has_no_place(forest_of, trained):
    _, text, forest = trained("rank:ndcg")
    for odd in (forest_of(1, [3]), replace(forest, average=True)):
        with pytest.raises(ModelError, match="sums of float32 trees"):
            to_json(odd, text)
    for source in ("{}", "[]", "no json"):
        with pytest.raises(ModelError, match="no tree model of XGBoost"):
            to_json(forest, source)
