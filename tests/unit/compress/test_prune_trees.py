"""prune_trees: sizes, gate, strategies, weights; against truncation; and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import lightgbm
import numpy as np
import pytest
import xgboost
from pydantic import ValidationError

from harness.compress import prune_trees, truncate
from harness.errors import ModelError
from harness.ndcg import ndcg, quality_drop
from harness.ranking_data import Splits
from harness.records import NdcgSpec
from harness.scoring import score
from harness.trees.artefacts import load
from harness.trees.pruning.tree_selection import Strategy
from harness.trees.traverse import predict


@pytest.fixture
def pruned(stepped, splits):
    def build(bundle, data: Splits = splits, method=prune_trees, **options):
        return stepped(method, bundle, data=data, **options)

    return build


def valid_drop(before, after, splits):
    spec, x = NdcgSpec(), splits.valid.features
    return quality_drop(*(ndcg(predict(load(b), x), splits.valid, spec) for b in (before, after)))


@pytest.mark.parametrize(
    ("options", "n_trees"), [({"keep": 0.25}, 5), ({"max_trees": 7}, 7), ({"keep": 0.001}, 1), ({"max_nodes": 1}, 1)]
)
def test_number_of_trees(pruned, teacher, options, n_trees):
    assert pruned(teacher("lightgbm"), reweight="ridge", **options).manifest.size.n_trees == n_trees


def test_node_budget_holds_and_is_filled(pruned, teacher):
    before = teacher("xgboost").manifest.size
    after = pruned(teacher("xgboost"), reweight="none", max_nodes=before.n_nodes // 2).manifest.size
    assert before.n_nodes // 2 - before.n_nodes // before.n_trees * 2 < after.n_nodes <= before.n_nodes // 2


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_without_new_weights_the_trees_are_some_of_the_old(pruned, teacher, strategy):
    old = [tree.value.tolist() for tree in load(teacher("lightgbm")).trees]
    bundle = pruned(teacher("lightgbm"), keep=0.4, strategy=strategy, reweight="none")
    places = [old.index(tree.value.tolist()) for tree in load(bundle).trees]
    assert places == sorted(set(places))
    assert len(places) == 8
    if strategy == "last":
        assert places == list(range(8))
    if strategy == "skip":
        assert set(np.diff(places)) <= {2, 3}


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_new_weights_come_nearer_to_the_teacher_than_truncation(pruned, teacher, splits, kind):
    """In quality on the split that they are chosen on, at equal size."""
    bundle = teacher(kind)
    ours, short = pruned(bundle, keep=0.3), pruned(bundle, method=truncate, keep=0.3)
    assert valid_drop(bundle, ours, splits).drop < valid_drop(bundle, short, splits).drop
    weights = {tuple(tree.left) for tree in load(ours).trees}
    assert weights <= {tuple(tree.left) for tree in load(bundle).trees}


def test_the_source_library_scores_the_pruned_model_alike(pruned, teacher, splits):
    x = splits.test.features
    text = pruned(teacher("lightgbm"), keep=0.3)
    booster = lightgbm.Booster(model_file=str(text.file("model.txt")))
    assert np.array_equal(booster.predict(x, raw_score=True, num_threads=1), predict(load(text), x))
    bundle = pruned(teacher("xgboost"), keep=0.3)
    assert bundle.manifest.source == "xgboost"
    native = xgboost.Booster({"nthread": 1}, model_file=str(bundle.file("model.json")))
    margin = native.inplace_predict(x, predict_type="margin")
    assert margin == pytest.approx(predict(load(bundle), x), abs=1e-6)
    assert score(bundle, x) == pytest.approx(margin, abs=1e-6)


@pytest.mark.parametrize("reweight", ["none", "ridge+line_search"])
def test_gate(pruned, teacher, splits, reweight):
    bundle = teacher("lightgbm")
    after = pruned(bundle, max_drop=0.03, reweight=reweight)
    assert after.manifest.size.n_trees < 20
    assert valid_drop(bundle, after, splits).drop_upper <= 0.03 + 1e-9


def test_a_gate_that_nothing_meets(pruned, teacher, splits):
    """Only the whole model loses nothing on every resample: it stays as it is, and the bundle says so."""
    short = pruned(teacher("lightgbm"), method=truncate, keep_trees=2)
    after = pruned(short, max_drop=0.0, strategy="last", reweight="none")
    assert after.manifest.size.n_trees == 2
    assert np.array_equal(predict(load(after), splits.test.features), predict(load(short), splits.test.features))
    (note,) = after.manifest.meta["notes"]
    assert "unpruned" in note


def test_what_was_left_out_is_noted(pruned, teacher, monkeypatch):
    monkeypatch.setattr("harness.trees.pruning.tree_scores._MAX_ROWS", 500)
    notes = pruned(teacher("lightgbm"), keep=0.5, reweight="ridge").manifest.meta["notes"]
    assert [note.split()[3] for note in notes] == ["train:", "valid:"]
    assert "of 80 query groups" in notes[0]


def test_grades_that_are_all_alike(pruned, teacher, splits):
    alike = replace(splits.valid, grades=np.full_like(splits.valid.grades, 2))
    with pytest.raises(ModelError, match="no query group has two different grades") as caught:
        pruned(teacher("lightgbm"), Splits(splits.train, alike, splits.test), keep=0.5)
    assert "'valid'" in caught.value.where


def test_refusals(teacher):
    manifest = teacher("lightgbm").manifest
    one = manifest.model_copy(update={"size": manifest.size.model_copy(update={"n_trees": 1})})
    assert "one tree" in prune_trees.refuses(prune_trees.Options(keep=0.5), one)
    assert "the model has 20 trees" in prune_trees.refuses(prune_trees.Options(max_trees=21), manifest)
    network = manifest.model_copy(update={"format": "mlp"})
    assert "no trees" in prune_trees.refuses(prune_trees.Options(keep=0.5), network)


def test_control(teacher):
    manifest = teacher("lightgbm").manifest
    assert prune_trees.control(prune_trees.Options(keep=0.5), manifest, manifest) == {
        "kind": "truncate",
        "keep_trees": 20,
    }
    same = prune_trees.Options(keep=0.5, strategy="last", reweight="none")
    assert prune_trees.control(same, manifest, manifest) is None


@pytest.mark.parametrize("options", [{}, {"strategy": "skip"}, {"keep": 0.5, "max_trees": 3}])
def test_exactly_one_size(options):
    with pytest.raises(ValidationError, match="give exactly one of keep, max_nodes, max_drop, max_trees"):
        prune_trees.Options(**options)
