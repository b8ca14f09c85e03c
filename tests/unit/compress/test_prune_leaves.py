"""prune_leaves: the budget and the gate hold, and the budget is better spent than by truncation."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from harness.compress import prune_leaves, truncate
from harness.ndcg import ndcg, quality_drop
from harness.records import NdcgSpec
from harness.trees.artefacts import load
from harness.trees.traverse import predict


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("options", [{"keep": 0.4}, {"max_nodes": 100}])
def test_budget(applied_to_trees, teacher, kind, options):
    draft, forest = applied_to_trees(prune_leaves, teacher(kind), **options)
    budget = options.get("max_nodes") or round(0.4 * teacher(kind).manifest.size.n_nodes)
    assert 0.8 * budget < draft.size.n_nodes == forest.n_nodes <= budget


def test_all_of_it_is_left_alone(applied_to_trees, teacher, splits):
    _, forest = applied_to_trees(prune_leaves, teacher("lightgbm"), keep=1.0)
    x = splits.test.features
    assert np.array_equal(predict(forest, x), predict(load(teacher("lightgbm")), x))


def test_one_node_is_a_constant(applied_to_trees, teacher, splits):
    _, forest = applied_to_trees(prune_leaves, teacher("xgboost"), max_nodes=1)
    assert forest.n_nodes == 1
    assert np.ptp(predict(forest, splits.test.features)) == 0


def test_scores_change_less_than_under_truncation_to_the_same_size(applied_to_trees, teacher, splits):
    bundle, x = teacher("lightgbm"), splits.test.features
    whole = predict(load(bundle), x)
    draft, pruned = applied_to_trees(prune_leaves, bundle, keep=0.5)
    _, short = applied_to_trees(truncate, bundle, max_nodes=draft.size.n_nodes)
    # up to a constant, which no ranking depends on
    pruned_change, short_change = (np.std(predict(f, x) - whole) for f in (pruned, short))
    assert pruned_change < 0.5 * short_change


def test_gate(applied_to_trees, teacher, splits):
    bundle = teacher("lightgbm")
    draft, forest = applied_to_trees(prune_leaves, bundle, max_drop=0.02)
    whole, pruned = (ndcg(predict(f, splits.valid.features), splits.valid, NdcgSpec()) for f in (load(bundle), forest))
    assert draft.size.n_nodes < 0.9 * bundle.manifest.size.n_nodes
    assert quality_drop(whole, pruned).drop_upper <= 0.02 + 1e-12


def test_control_is_truncation_to_the_same_nodes(applied_to_trees, teacher):
    before = teacher("lightgbm").manifest
    after = before.model_copy(update={"size": before.size.model_copy(update={"n_nodes": 123})})
    options = prune_leaves.Options(keep=0.5)
    assert prune_leaves.control(options, before, after) == {"kind": "truncate", "max_nodes": 123}


def test_exactly_one_key():
    with pytest.raises(ValidationError, match="give exactly one of keep, max_nodes, max_drop"):
        prune_leaves.Options(keep=0.5, max_nodes=7)


def test_leaves_are_weighed_by_rows_of_train_where_the_source_kept_no_count(applied_to_trees, teacher):
    assert not load(teacher("xgboost")).has_cover
    draft, forest = applied_to_trees(prune_leaves, teacher("xgboost"), keep=0.5)
    assert draft.meta["notes"] == ["the source kept no count of rows: leaves weighed by all 1,386 rows of train"]
    assert forest.has_cover, "a later step need not count again"
    draft, _ = applied_to_trees(prune_leaves, teacher("lightgbm"), keep=0.5)
    assert "notes" not in draft.meta
