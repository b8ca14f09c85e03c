"""distil_gbdt: the student follows the teacher, not the labels; the control is the same shape on the labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made_trees import sealed, stump

from harness import registry
from harness.bundle import seal
from harness.compress import distil_gbdt, truncate
from harness.errors import ModelError
from harness.ndcg import ndcg
from harness.protocols import Compression
from harness.ranking_data import Splits
from harness.records import NdcgSpec
from harness.scoring import score
from harness.trees.artefacts import load
from harness.trees.forest import Forest
from harness.trees.pruning.boosted_on import boosted_on
from harness.trees.traverse import predict

SMALL = {"n_trees": 30, "n_leaves": 8, "min_rows_per_leaf": 5}


@pytest.fixture
def student(stepped, splits):
    def build(bundle, data: Splits = splits, teacher=None, **options):
        return stepped(distil_gbdt, bundle, teacher, data, **{**SMALL, **options})

    return build


def centred(scores, data):
    means = np.array([scores[data.rows_of(group)].mean() for group in range(data.n_groups)])
    return scores - np.repeat(means, data.group_sizes)


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost", "mlp"])
def test_student_follows_the_teacher(student, teacher, splits, kind):
    data = splits.train
    taught = centred(predict(load(student(teacher(kind))), data.features), data)
    expected = centred(score(teacher(kind), data.features).astype(np.float64), data)
    assert np.corrcoef(taught, expected)[0, 1] > 0.8


def test_labels_are_not_looked_at(student, teacher, splits):
    shuffled = np.random.default_rng(0).permutation(splits.train.grades)
    other = Splits(replace(splits.train, grades=shuffled), splits.valid, splits.test)
    assert student(teacher("lightgbm")).manifest.digest == student(teacher("lightgbm"), other).manifest.digest


def test_control_learns_the_labels_in_the_same_shape(student, teacher, splits):
    options = distil_gbdt.Options(**SMALL)
    spec = distil_gbdt.control(options, teacher("lightgbm").manifest, teacher("lightgbm").manifest)
    assert spec is not None
    assert spec.pop("kind") == "distil_gbdt"
    assert distil_gbdt.Options(**spec) == options.model_copy(update={"targets": "labels"})
    rival = student(teacher("mlp"), targets="labels")
    assert rival.manifest.digest == student(teacher("lightgbm"), targets="labels").manifest.digest
    assert distil_gbdt.control(distil_gbdt.Options(**spec), rival.manifest, rival.manifest) is None


def test_mixed_learns_the_scores_first_and_then_the_labels(student, teacher, splits):
    bundle, x = teacher("lightgbm"), splits.train.features
    mixed = load(student(bundle, targets="mixed", label_share=0.4))
    assert len(mixed.trees) == 30
    taught = load(student(bundle, n_trees=18))
    assert predict(mixed.first(18), x) == pytest.approx(predict(taught, x), abs=1e-9)
    spec = NdcgSpec()
    gain = ndcg(predict(mixed, x), splits.train, spec) - ndcg(predict(taught, x), splits.train, spec)
    assert np.nanmean(gain) > 0
    shuffled = np.random.default_rng(0).permutation(splits.train.grades)
    other = Splits(replace(splits.train, grades=shuffled), splits.valid, splits.test)
    misled = load(student(bundle, other, targets="mixed", label_share=0.4))
    assert predict(misled.first(18), x) == pytest.approx(predict(taught, x), abs=1e-9)
    assert not np.allclose(predict(misled, x), predict(mixed, x))


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("targets", ["teacher", "labels"])
def test_it_goes_on_from_pruned_trees(student, teacher, splits, tmp_path, kind, targets):
    (tmp_path / "short").mkdir()
    work = Compression(teacher(kind), teacher(kind), splits, tmp_path / "short", 1, NdcgSpec(), lambda _: None)
    short = seal(tmp_path / "short", truncate.apply(truncate.Options(keep=0.25), work), origin={})
    after = student(short, teacher=teacher(kind), start="pruned", targets=targets, n_trees=15)
    begun, forest = load(short), load(after)
    assert len(forest.trees) == 15
    assert len(begun.trees) == 5
    x, data = splits.test.features, splits.test
    assert predict(forest.first(5), x) == pytest.approx(predict(begun, x), abs=0)
    own = registry.engine("native")
    scores = own.open(own.Options(), after, tmp_path).score(x)
    assert scores == pytest.approx(predict(forest, x), abs=1e-5)
    if targets == "teacher":
        goal = centred(score(teacher(kind), x).astype(np.float64), data)
        off = [np.square(centred(predict(f, x), data) - goal).mean() for f in (begun, forest)]
        assert off[1] < 0.6 * off[0]
    options = distil_gbdt.Options(**{**SMALL, "n_trees": 15}, start="pruned", targets=targets)
    spec = distil_gbdt.control(options, short.manifest, after.manifest)
    assert (spec["targets"], spec["n_trees"]) == ("labels", 15)
    assert abs(15 * spec["n_leaves"] - after.manifest.size.n_leaves) <= 15


def test_what_it_can_not_go_on_from(student, teacher, tmp_path):
    options = distil_gbdt.Options(n_trees=20, start="pruned")
    assert "has no trees" in distil_gbdt.refuses(options, teacher("mlp").manifest)
    assert "there are 20 already" in distil_gbdt.refuses(options, teacher("lightgbm").manifest)
    quantised = teacher("lightgbm").manifest.model_copy(update={"meta": {"quantise": {}}})
    assert "behind this step" in distil_gbdt.refuses(options.model_copy(update={"n_trees": 30}), quantised)
    average = sealed(Forest((stump(0, 0.5, 1.0, 2.0),) * 3, 12, average=True), tmp_path / "average")
    with pytest.raises(ModelError, match="an average of trees"):
        student(average, start="pruned", teacher=teacher("lightgbm"))


def test_a_split_of_lightgbm_sends_the_same_rows_left_in_other_terms():
    thresholds = [0.1, 0.5, -0.1, 1e-30, 1 / 3, 0.0, 1e300]
    grown = Forest(tuple(stump(0, threshold, 1.0, 2.0) for threshold in thresholds), 1)
    near = np.float32(thresholds[:-1])
    x = np.concatenate([near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9)), [3e38, np.nan]])
    x = x.astype(np.float32)[:, None]
    for operator, kind in (("<", "float32"), ("<=", "float32"), ("<", "float64")):
        other = boosted_on(Forest((stump(0, 0.0, 0.0, 0.0),), 1, operator, kind), grown)
        assert np.array_equal(predict(other, x), predict(grown, x))
