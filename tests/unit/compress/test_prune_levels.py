"""prune_levels: the budget and the gate hold, and what it leaves beats truncation and collapsing."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from harness.compress import prune_leaves, prune_levels, truncate
from harness.ndcg import ndcg, quality_drop
from harness.ranking_data import RankingData
from harness.records import NdcgSpec
from harness.trees.artefacts import load
from harness.trees.pruning.pair_weights import pair_weights
from harness.trees.traverse import predict


def change(forest, bundle, data):
    """Mean squared change of scores, less what is the same for a whole query group."""
    difference = predict(forest, data.features) - predict(load(bundle), data.features)
    means = np.add.reduceat(difference, data.offsets[:-1]) / data.group_sizes
    return float(np.square(difference - np.repeat(means, data.group_sizes)).mean())


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("options", [{"keep": 0.4}, {"max_nodes": 60}, {"keep": 0.4, "pair_weight": 1.0}])
def test_budget(applied_to_trees, teacher, kind, options):
    draft, forest = applied_to_trees(prune_levels, teacher(kind), **options)
    budget = options.get("max_nodes") or round(0.4 * teacher(kind).manifest.size.n_nodes)
    assert 0.7 * budget < draft.size.n_nodes == forest.n_nodes <= budget


def test_all_of_it_is_left_alone(applied_to_trees, teacher, splits):
    bundle, x = teacher("lightgbm"), splits.test.features
    draft, forest = applied_to_trees(prune_levels, bundle, keep=1.0)
    assert np.allclose(predict(forest, x), predict(load(bundle), x), rtol=0, atol=1e-6)
    assert draft.meta["notes"] == ["L1 strength 0, fitted to the teacher's scores on all 1,386 rows of train"]


def test_one_node_is_a_constant(applied_to_trees, teacher, splits):
    _, forest = applied_to_trees(prune_levels, teacher("xgboost"), max_nodes=1)
    assert forest.n_nodes == 1
    assert np.ptp(predict(forest, splits.test.features)) == 0


def test_scores_stay_nearer_than_under_truncation_and_collapsing_to_the_same_size(applied_to_trees, teacher, splits):
    bundle = teacher("lightgbm")
    draft, pruned = applied_to_trees(prune_levels, bundle, keep=0.3)
    _, short = applied_to_trees(truncate, bundle, max_nodes=draft.size.n_nodes)
    _, collapsed = applied_to_trees(prune_leaves, bundle, max_nodes=draft.size.n_nodes)
    own, truncated, leaves = (change(forest, bundle, splits.test) for forest in (pruned, short, collapsed))
    assert own < 0.5 * truncated
    assert own < leaves


def test_gate(applied_to_trees, teacher, splits):
    bundle = teacher("lightgbm")
    draft, forest = applied_to_trees(prune_levels, bundle, max_drop=0.02)
    whole, pruned = (ndcg(predict(f, splits.valid.features), splits.valid, NdcgSpec()) for f in (load(bundle), forest))
    assert draft.size.n_nodes < 0.9 * bundle.manifest.size.n_nodes
    assert quality_drop(whole, pruned).drop_upper <= 0.02 + 1e-9


def test_a_gate_that_only_the_whole_passes_prunes_nothing(applied_to_trees, teacher, monkeypatch):
    monkeypatch.setattr(prune_levels, "_STRENGTHS", np.array([0.0, 0.03, np.inf]))
    bundle = teacher("lightgbm")
    draft, _ = applied_to_trees(prune_levels, bundle, max_drop=0.0)
    assert draft.size.n_nodes == bundle.manifest.size.n_nodes


def test_exactly_one_size():
    assert prune_levels.Options(keep=0.5, pair_weight=0.5).pair_weight == 0.5
    with pytest.raises(ValidationError, match="give exactly one of keep, max_nodes, max_drop"):
        prune_levels.Options(pair_weight=0.5)


def test_refuses_what_is_no_forest_any_more(teacher):
    options = prune_levels.Options(keep=0.5)
    assert prune_levels.refuses(options, teacher("mlp").manifest) == "a mlp bundle has no trees"
    quantised = teacher("lightgbm").manifest.model_copy(update={"meta": {"quantise": {"leaves": "int8"}}})
    assert "put quantise behind this step" in prune_levels.refuses(options, quantised)


def test_pair_weights_are_the_summed_changes_by_swaps():
    grades, scores, k = np.array([0, 2, 1, 0, 1, 0, 0], dtype=np.int32), np.array([5.0, 4, 3, 2, 1, 1, 0]), 3
    data = RankingData("t", np.zeros((7, 1), dtype=np.float32), grades, np.array([5, 2]), ("f",))
    spec = NdcgSpec(k=k)

    def at(ranking):
        return ndcg(ranking, data, spec)[0]

    expected = np.zeros(7)
    for i in range(5):
        for j in range(5):
            swapped = scores.copy()
            swapped[[i, j]] = swapped[[j, i]]
            expected[i] += abs(at(swapped) - at(scores))
    assert np.allclose(pair_weights(scores, data, k), expected)
    assert (expected[5:] == 0).all(), "a query group without positives weighs nothing"
