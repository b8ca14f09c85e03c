"""truncate: each way to say the size, the gate, and that the first trees are the ones that stay."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from harness.compress import truncate
from harness.compress._gate import smallest
from harness.ndcg import ndcg, quality_drop
from harness.protocols import Compression
from harness.records import NdcgSpec
from harness.trees.artefacts import load
from harness.trees.traverse import predict


@pytest.fixture
def truncated(splits, tmp_path):
    def build(bundle, **options):
        work = Compression(bundle, bundle, splits, tmp_path, 1, NdcgSpec(), lambda _: None)
        return truncate.apply(truncate.Options(**options), work)

    return build


@pytest.mark.parametrize(
    ("options", "n_trees"),
    [({"keep_trees": 7}, 7), ({"keep": 0.25}, 5), ({"keep": 0.001}, 1), ({"keep": 1.0}, 20), ({"max_nodes": 3}, 1)],
)
def test_number_of_trees(truncated, teacher, options, n_trees):
    assert truncated(teacher("lightgbm"), **options).size.n_trees == n_trees


def test_node_budget_is_filled(truncated, teacher):
    sizes = np.cumsum([tree.n_nodes for tree in load(teacher("xgboost")).trees])
    assert truncated(teacher("xgboost"), max_nodes=int(sizes[5])).size.n_nodes == sizes[5]
    assert truncated(teacher("xgboost"), max_nodes=int(sizes[5]) - 1).size.n_nodes == sizes[4]


def test_the_first_trees_stay(truncated, teacher, splits, tmp_path):
    import treelite

    truncated(teacher("lightgbm"), keep_trees=3)
    short = treelite.Model.deserialize(tmp_path / "model.treelite")
    x = splits.test.features
    expected = predict(load(teacher("lightgbm")).first(3), x)
    assert np.array_equal(treelite.gtil.predict(short, x, nthread=1, pred_margin=True).ravel(), expected)
    assert (tmp_path / "model.txt").is_file()


def test_the_gate_holds_and_one_tree_less_would_not(truncated, teacher, splits):
    forest = load(teacher("lightgbm"))
    spec = NdcgSpec()

    def upper(n):
        whole, short = (ndcg(predict(f, splits.valid.features), splits.valid, spec) for f in (forest, forest.first(n)))
        return quality_drop(whole, short).drop_upper

    n_trees = truncated(teacher("lightgbm"), max_drop=0.02).size.n_trees
    assert 1 < n_trees < 20
    assert upper(n_trees) <= 0.02 < upper(n_trees - 1)


def test_no_drop_is_met_by_the_whole_model_at_worst(truncated, teacher, splits):
    forest = load(teacher("lightgbm"))
    n_trees = truncated(teacher("lightgbm"), max_drop=0.0).size.n_trees
    whole, short = (
        ndcg(predict(f, splits.valid.features), splits.valid, NdcgSpec()) for f in (forest, forest.first(n_trees))
    )
    assert quality_drop(whole, short).drop_upper <= 0.0


@pytest.mark.parametrize("options", [{}, {"keep": 0.5, "max_drop": 0.1}])
def test_exactly_one_key(options):
    with pytest.raises(ValidationError, match="give exactly one of keep, max_nodes, max_drop, keep_trees"):
        truncate.Options(**options)


def test_more_trees_than_there_are(teacher):
    reason = truncate.refuses(truncate.Options(keep_trees=21), teacher("lightgbm").manifest)
    assert reason == "keep_trees is 21, the model has 20 trees"


def test_smallest_by_bisection():
    for answer in (1, 2, 7, 10):
        assert smallest(1, 10, lambda n, answer=answer: n >= answer) == answer
