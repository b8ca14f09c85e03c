"""prune_features: the number and the gate hold, names are told, and the scores choose better than importance."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made_trees import stump
from pydantic import ValidationError

from harness.bundle import seal
from harness.compress import prune_features
from harness.ndcg import ndcg, quality_drop
from harness.protocols import Compression
from harness.ranking_data import RankingData, Splits
from harness.records import NdcgSpec
from harness.trees.artefacts import load, save
from harness.trees.forest import Forest, features_read
from harness.trees.formats.treelite_model import from_treelite
from harness.trees.traverse import predict


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("by", ["scores", "importance"])
def test_so_many_features_are_read_and_the_others_are_named(applied_to_trees, teacher, splits, kind, by):
    draft, forest = applied_to_trees(prune_features, teacher(kind), max_features=3, by=by)
    read = [f"f{index}" for index in features_read(forest)]
    assert len(read) == 3
    assert draft.meta["read_features"] == read
    assert draft.n_features == forest.n_features == 12, "the input keeps its width"
    unread = [name for name in draft.feature_names if name not in read]
    assert draft.meta["notes"][0] == f"reads 3 of 12 features; need not be fetched: {', '.join(unread)}"
    x = splits.test.features.copy()
    x[:, [index for index, name in enumerate(draft.feature_names) if name in unread]] = np.nan
    assert np.array_equal(predict(forest, x), predict(forest, splits.test.features))
    assert {"f0", "f1", "f2"} & set(read), "the grades are made of these and f3"


def test_keep_counts_features_that_are_read(applied_to_trees, teacher):
    n_read = features_read(load(teacher("lightgbm"))).size
    assert n_read == 11, "one of the twelve is constant"
    draft, _ = applied_to_trees(prune_features, teacher("lightgbm"), keep=0.5)
    assert len(draft.meta["read_features"]) == round(0.5 * n_read)


def test_gate(applied_to_trees, teacher, splits):
    bundle = teacher("lightgbm")
    draft, forest = applied_to_trees(prune_features, bundle, max_drop=0.05)
    whole, pruned = (ndcg(predict(f, splits.valid.features), splits.valid, NdcgSpec()) for f in (load(bundle), forest))
    assert len(draft.meta["read_features"]) < 11
    assert quality_drop(whole, pruned).drop_upper <= 0.05 + 1e-9


def disguised():
    """A model of two features and its splits: f1 makes most of the variance but none of the ranking."""
    rng = np.random.default_rng(3)
    n_groups, size = 60, 10

    def data(name):
        x = rng.normal(size=(n_groups * size, 3)).astype(np.float32)
        x[:, 1] = np.repeat(rng.normal(size=n_groups), size)  # tells query groups apart, no candidates
        return RankingData(name, x, (x[:, 0] > 0).astype(np.int32), np.full(n_groups, size), ("own", "query", "idle"))

    forest = Forest((_stump(0, 1.0), _stump(1, 5.0)), 3)
    return forest, Splits(data("train"), data("valid"), data("test"))


@pytest.mark.parametrize(("by", "left"), [("scores", ["own"]), ("importance", ["query"])])
def test_scores_within_query_groups_see_what_importance_does_not(tmp_path, by, left):
    forest, splits = disguised()
    draft, pruned = _applied(tmp_path, forest, splits, max_features=1, by=by)
    assert draft.meta["read_features"] == left
    own = ndcg(predict(pruned, splits.test.features), splits.test, NdcgSpec()).mean()
    assert own == 1.0 if by == "scores" else own < 0.8


def test_nothing_goes_where_every_feature_costs_and_the_gate_is_zero(tmp_path):
    _, splits = disguised()
    draft, pruned = _applied(tmp_path, Forest((_stump(0, 1.0),), 3), splits, max_drop=0.0)
    assert features_read(pruned).tolist() == [0]
    assert draft.meta["notes"][0] == "reads 1 of 3 features; need not be fetched: query, idle"


def test_control_is_as_many_features_by_importance(teacher):
    before = teacher("lightgbm").manifest
    after = before.model_copy(update={"meta": {"read_features": ["f0", "f1"]}})
    control = prune_features.control(prune_features.Options(keep=0.5), before, after)
    assert control == {"kind": "prune_features", "by": "importance", "max_features": 2}
    assert prune_features.control(prune_features.Options(max_features=2, by="importance"), before, after) is None


def test_exactly_one_size():
    with pytest.raises(ValidationError, match="give exactly one of keep, max_features, max_drop"):
        prune_features.Options(keep=0.5, max_drop=0.1)
    with pytest.raises(ValidationError, match="max_nodes"):
        prune_features.Options(max_nodes=10)


def _applied(path, forest, splits, **options):
    import treelite

    (path / "before").mkdir()
    (path / "after").mkdir()
    bundle = seal(path / "before", save(forest, path / "before", splits.train.feature_names), origin={})
    work = Compression(bundle, bundle, splits, path / "after", 1, NdcgSpec(), lambda _: None)
    draft = prune_features.apply(prune_features.Options(**options), work)
    return draft, from_treelite(treelite.Model.deserialize(path / "after" / "model.treelite"))


def _stump(feature, height):
    return stump(feature, 0.0, -height, height, default_left=False)
