"""early_exit: the parts make up the whole, what is served is what is measured, and the gate decides on valid."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from harness import registry
from harness.bundle import open_bundle, seal
from harness.compress import _exit_choice, early_exit, prune_trees, quantise, truncate
from harness.errors import ModelError
from harness.ndcg import ndcg, quality_drop
from harness.opening import open_engine
from harness.pipeline.method_rules import gate_missed
from harness.protocols import Compression
from harness.records import NdcgSpec
from harness.scenario import Choice
from harness.scoring import quality, reference_scorer, score, scores_of

SPEC = NdcgSpec()


@pytest.fixture
def applied(splits, tmp_path):
    def build(bundle, method=early_exit, name="out", **options):
        out = tmp_path / name
        out.mkdir()
        work = Compression(bundle, bundle, splits, out, 1, SPEC, lambda _: None)
        seal(out, method.apply(method.Options(**options), work), origin={})
        return open_bundle(out)

    return build


class Counted:
    """A part that counts the rows it scores."""

    def __init__(self, part):
        self.part, self.n_rows = part, 0

    def score(self, x):
        self.n_rows += x.shape[0]
        return self.part.score(x)


def opened(name, bundle, cache):
    engine = registry.engine(name)
    return open_engine(engine, engine.Options(), bundle, cache)


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_where_everyone_stays_scores_are_those_of_the_whole(applied, teacher, splits, kind):
    bundle = applied(teacher(kind), sentinels=(6,), margin=1e3)
    data = splits.test
    found, whole = score(bundle, data.features, data.group_sizes), score(teacher(kind), data.features)
    assert found == pytest.approx(whole, abs=1e-5)
    assert bundle.manifest.meta["early_exit"]["mean_trees"] == 20.0


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("sentinels", [(5,), (3, 6, 12)])
@pytest.mark.parametrize("rule", [{"margin": 0.1, "k": 3}, {"rule": "classifier", "threshold": 0.3}])
def test_every_engine_serves_the_scores_that_are_measured(
    applied, teacher, splits, engine_cache, kind, rule, sentinels
):
    bundle, data = applied(teacher(kind), sentinels=sentinels, **rule), splits.test
    expected = score(bundle, data.features, data.group_sizes)
    one_list = data.rows_of(7)
    for name in ("native", "gtil", "bitblend"):
        scorer = opened(name, bundle, engine_cache)
        np.testing.assert_allclose(scores_of(scorer, data.features, data.group_sizes), expected, atol=1e-5)
        np.testing.assert_allclose(scorer.score(data.features[one_list]), expected[one_list], atol=1e-5)
    np.testing.assert_array_equal(quality(bundle, data, SPEC), ndcg(expected, data, SPEC))
    whole = score(teacher(kind), data.features)
    left = np.abs(expected - whole) > 1e-4
    assert 0.2 < left.mean() < 0.95, "some leave, some stay"


def test_an_engine_that_scores_nothing_opens_the_bundle_whole(applied, teacher, engine_cache):
    fake = opened("fake", applied(teacher("lightgbm"), sentinels=(5,), margin=0.0), engine_cache)
    assert "whole_lists" not in fake.info


def test_files_stay_and_the_forest_can_be_read_whole(applied, teacher):
    before = teacher("lightgbm")
    after = applied(before, sentinels=(5,), margin=0.1)
    assert all((after.path / name).read_bytes() == (before.path / name).read_bytes() for name in before.manifest.files)
    assert after.manifest.size.n_trees == 20
    other = applied(before, name="other", sentinels=(5,), margin=0.2)
    assert other.manifest.digest != after.manifest.digest, "the rule is part of what a bundle is"


@pytest.mark.parametrize("rule", ["proximity", "classifier"])
def test_the_gate_holds_on_valid_and_trees_are_saved(applied, teacher, splits, rule, monkeypatch):
    monkeypatch.setattr(_exit_choice, "CALL_TREES", 0.0)
    bundle = applied(teacher("lightgbm"), rule=rule, max_drop=0.05)
    described = bundle.manifest.meta["early_exit"]
    assert described["mean_trees"] < 20
    assert all(1 <= sentinel < 20 for sentinel in described["sentinels"])
    groups = np.arange(1 if rule == "classifier" else 0, splits.valid.n_groups, 2 if rule == "classifier" else 1)
    valid = splits.valid.take_groups(groups)
    drop = quality_drop(quality(teacher("lightgbm"), valid, SPEC), quality(bundle, valid, SPEC))
    assert drop.drop_upper <= 0.05 + 1e-9
    control = early_exit.control(early_exit.Options(max_drop=0.05), teacher("lightgbm").manifest, bundle.manifest)
    assert control == {"kind": "truncate", "keep_trees": round(described["mean_trees"])}


def test_calls_cost_more_than_trees_that_short_lists_save(applied, teacher):
    before, after = teacher("lightgbm").manifest, applied(teacher("lightgbm"), max_drop=1.0).manifest
    assert "early_exit" not in after.meta
    assert "saves nothing within 1 NDCG" in after.meta["notes"][0]
    choice = Choice.model_validate({"kind": "early_exit", "max_drop": 1.0})
    assert gate_missed(choice, before, after) == "", "the gate is not to blame"


@pytest.mark.parametrize("rule", [{"margin": 0.3, "k": 3}, {"rule": "classifier", "threshold": 0.2}])
def test_the_choice_is_made_by_what_is_served(applied, teacher, splits, rule):
    bundle = applied(teacher("lightgbm"), sentinels=(3, 6, 12), **rule)
    n_rule_trees, step = (10, 2) if "threshold" in rule else (0, 1)
    valid = splits.valid.take_groups(np.arange(splits.valid.n_groups)[step - 1 :: step])
    scorer = reference_scorer(bundle)
    scorer._parts = parts = [Counted(part) for part in scorer._parts]
    scores_of(scorer, valid.features, valid.group_sizes)
    rows = [part.n_rows for part in parts]
    assert rows[0] > rows[1] > rows[2] > rows[3] > 0
    trees = np.dot(rows, [3, 3, 6, 8]) + n_rule_trees * sum(rows[:3])
    assert bundle.manifest.meta["early_exit"]["mean_trees"] == pytest.approx(trees / valid.n_rows)


def test_everyone_may_leave(applied, teacher, splits, engine_cache):
    bundle = applied(teacher("lightgbm"), rule="classifier", sentinels=(3, 6), threshold=5.0)
    assert bundle.manifest.meta["early_exit"]["mean_trees"] == 3 + 10
    scores = opened("gtil", bundle, engine_cache).score(splits.test.features[:20])
    assert np.isfinite(scores).all()


def test_a_gate_that_no_exit_meets_leaves_the_bundle_as_it_was(applied, teacher):
    before = teacher("lightgbm")
    after = applied(before, max_drop=0.0, sentinels=(1,), k=1, margin=0.0)
    assert after.manifest.digest == before.manifest.digest
    assert "no cut keeps the NDCG lost on valid within 0" in after.manifest.meta["notes"][0]
    choice = Choice.model_validate({"kind": "early_exit", "max_drop": 0.0})
    assert gate_missed(choice, before.manifest, after.manifest).startswith("no cut keeps the NDCG")
    assert early_exit.control(early_exit.Options(max_drop=0.0), before.manifest, after.manifest) is None


def test_narrow_leaves_stay_narrow_in_the_parts(applied, teacher, splits):
    before = applied(teacher("lightgbm"), quantise, "int8", leaves="int8")
    after = applied(before, sentinels=(6,), margin=0.1)
    assert after.manifest.size.packed_bytes < 1.5 * before.manifest.size.packed_bytes
    assert np.isfinite(score(after, splits.test.features, splits.test.group_sizes)).all()
    assert early_exit.control(early_exit.Options(max_drop=0.1), before.manifest, after.manifest) is None


def test_nothing_that_changes_trees_comes_behind(applied, teacher):
    manifest = applied(teacher("lightgbm"), sentinels=(5,), margin=0.1).manifest
    assert "put early_exit last" in truncate.refuses(truncate.Options(keep=0.5), manifest)
    assert "put early_exit last" in prune_trees.refuses(prune_trees.Options(keep=0.5), manifest)
    assert "put early_exit last" in quantise.refuses(quantise.Options(), manifest)
    assert "already" in early_exit.refuses(early_exit.Options(max_drop=0.1), manifest)


def test_what_it_refuses(teacher):
    options = early_exit.Options(sentinels=(20,), margin=0.1)
    assert early_exit.refuses(options, teacher("lightgbm").manifest) == "a sentinel is 20, the model has 20 trees"
    network = teacher("lightgbm").manifest.model_copy(update={"format": "mlp"})
    assert early_exit.refuses(options, network) == "a mlp bundle has no trees"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give max_drop, or both sentinels and margin"),
        ({"rule": "classifier", "sentinels": (3,)}, "give max_drop, or both sentinels and threshold"),
        ({"max_drop": 0.1, "sentinels": (6, 6)}, "sentinels are not in ascending order from 1 on"),
        ({"max_drop": 0.1, "threshold": 0.5}, "threshold is not a key of rule proximity; it has margin"),
    ],
)
def test_keys_that_do_not_go_together(options, said):
    with pytest.raises(ValidationError, match=said):
        early_exit.Options(**options)


def test_a_rule_that_makes_no_sense_is_an_error(applied, teacher, tmp_path, engine_cache):
    bundle = applied(teacher("lightgbm"), sentinels=(5,), margin=0.1)
    file = bundle.path / "early_exit" / "exit.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "rule": "coin"}), encoding="ascii")
    with pytest.raises(ModelError, match="does not say how candidates leave early"):
        opened("gtil", bundle, engine_cache)
