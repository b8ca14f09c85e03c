"""distil_mlp: it learns the teacher's order, from documents the teacher's splits tell apart; its control."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness import registry
from harness.bundle import Bundle, Draft, seal
from harness.compress import _hints, _lessons, distil_mlp
from harness.errors import ModelError
from harness.protocols import Compression
from harness.records import ModelSize, NdcgSpec
from harness.scoring import score
from harness.trees import artefacts
from harness.trees.traverse import leaf_indices

SMALL = {"hidden": [32, 16], "epochs": 25, "patience": 25, "learning_rate": 0.005}


@pytest.fixture
def work(splits, tmp_path):
    def build(teacher: Bundle) -> Compression:
        return Compression(teacher, teacher, splits, tmp_path, 1, NdcgSpec(), lambda _: None)

    return build


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost", "mlp"])
def test_student_follows_the_teacher(teacher, work, splits, tmp_path, kind):
    draft = distil_mlp.apply(distil_mlp.Options(**SMALL), work(teacher(kind)))
    student = seal(tmp_path, draft, origin={})
    assert student.manifest.format == "mlp"
    assert student.manifest.feature_names == splits.train.feature_names
    x = splits.test.features
    assert spearmanr(score(teacher(kind), x), score(student, x)).statistic > 0.75


def test_documents_lie_on_midpoints_of_the_teachers_splits(teacher, work, splits):
    documents = _lessons.synthetic_documents(work(teacher("lightgbm")), 500, np.random.default_rng(0))
    x = splits.train.features
    trees = artefacts.load(teacher("lightgbm")).trees
    for column in range(x.shape[1]):
        cuts = sorted({t for tree in trees for t in tree.threshold[tree.feature == column].tolist()})
        allowed = {np.float32((a + b) / 2) for a, b in pairwise(cuts)}
        allowed |= {np.nanmin(x[:, column]), np.nanmax(x[:, column])}
        present = documents[~np.isnan(documents[:, column]), column]
        assert set(present) <= allowed
        assert len(set(present)) > min(len(allowed), 20) / 2, "all over the list"
    assert np.flatnonzero(np.isnan(documents).any(axis=0)).tolist() == [0, 5], "missing only where the data has it"


@pytest.mark.parametrize(("share", "ratio"), [(0.0, 0.0), (0.5, 1.0), (0.75, 3.0)])
def test_share_of_synthetic_documents(teacher, work, splits, share, ratio):
    lessons = _lessons.taught_by_teacher(work(teacher("lightgbm")), synthetic_share=share, labels=False, seed=1)
    n_real = splits.train.n_rows
    assert lessons.features.shape[0] - n_real == pytest.approx(ratio * n_real, rel=0.02)
    assert lessons.group_sizes.sum() == lessons.targets.size == lessons.features.shape[0]
    assert lessons.targets.dtype == np.float32
    real = lessons.targets[:n_real] * 1.0
    means = np.add.reduceat(real, splits.train.offsets[:-1]) / splits.train.group_sizes
    assert np.std(real - np.repeat(means, splits.train.group_sizes)) == pytest.approx(1, rel=1e-3)


def test_control_is_the_same_network_on_labels(teacher, work, splits, tmp_path):
    options = distil_mlp.Options(hidden=[4], epochs=1)
    draft = distil_mlp.apply(options, work(teacher("lightgbm")))
    student = seal(tmp_path, draft, origin={})
    step = distil_mlp.control(options, teacher("lightgbm").manifest, student.manifest)
    assert step.pop("kind") == "distil_mlp"
    plugin = registry.method("distil_mlp")
    rival_options = plugin.Options(**step)
    rival = plugin.apply(rival_options, work(teacher("lightgbm")))
    assert rival.size.n_parameters == draft.size.n_parameters
    assert rival.meta["targets"] == "labels"
    assert plugin.control(rival_options, teacher("lightgbm").manifest, student.manifest) is None


def test_labels_do_not_ask_the_teacher(splits, work, tmp_path):
    """A teacher that nothing can score still has a control."""
    (tmp_path / "teacher").mkdir()
    (tmp_path / "teacher" / "model.onnx").write_bytes(b"not a model")
    draft = Draft("onnx", splits.train.n_features, splits.train.feature_names, ModelSize())
    silent = seal(tmp_path / "teacher", draft, origin={})
    made = distil_mlp.apply(distil_mlp.Options(hidden=[4], epochs=1, targets="labels"), work(silent))
    assert made.meta["targets"] == "labels"


def test_any_format_may_teach(teacher):
    for name in ("trees", "mlp", "torchscript", "onnx"):
        manifest = teacher("lightgbm").manifest.model_copy(update={"format": name})
        assert distil_mlp.refuses(distil_mlp.Options(), manifest) == ""


def test_a_teacher_without_finite_scores_is_named(teacher, work, monkeypatch):
    monkeypatch.setattr("harness.scoring.score", lambda _, x: np.full(x.shape[0], np.nan, dtype=np.float32))
    with pytest.raises(ModelError, match="not finite"):
        distil_mlp.apply(distil_mlp.Options(), work(teacher("lightgbm")))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("lightgbm", {"outputs": "listwise", "hints": "leaves"}),
        ("mlp", {"outputs": "margins", "hints": "hidden", "label_weight": 0.3}),
    ],
)
def test_other_knowledge_teaches_too(teacher, work, splits, tmp_path, kind, told):
    draft = distil_mlp.apply(distil_mlp.Options(**SMALL, **told), work(teacher(kind)))
    student = seal(tmp_path, draft, origin={})
    assert draft.meta["hints"] == told["hints"]
    x = splits.test.features
    assert spearmanr(score(teacher(kind), x), score(student, x)).statistic > 0.6


def test_leaf_hints_are_principal_components_of_the_leaves(teacher, work, splits):
    """Rows in the same leaves get the same hints, and distances between hints follow the number of shared leaves."""
    x = splits.test.features[:200]
    hints = _hints.leaf_hints(work(teacher("lightgbm")), x, 32, seed=1)
    assert hints.shape == (200, 32)
    assert np.square(hints).mean() == pytest.approx(1, rel=1e-4)
    leaves = leaf_indices(artefacts.load(teacher("lightgbm")), x)
    shared = (leaves[:, :, None] == leaves[:, None, :]).sum(axis=0)
    distance = np.square(hints[:, None] - hints[None]).sum(axis=2)
    assert spearmanr(shared.ravel(), distance.ravel()).statistic < -0.9
    again = _hints.leaf_hints(work(teacher("lightgbm")), x, 32, seed=1)
    assert np.array_equal(hints, again)


def test_hints_that_the_teacher_does_not_have_are_an_error(teacher, work):
    for kind, hints in (("lightgbm", "hidden"), ("mlp", "leaves")):
        with pytest.raises(ModelError, match=f"hints: {hints} can't be had"):
            distil_mlp.apply(distil_mlp.Options(hints=hints), work(teacher(kind)))


def test_options_that_contradict_one_another():
    for wrong in ({"targets": "labels", "hints": "leaves"}, {"targets": "labels", "label_weight": 0.1}):
        with pytest.raises(ValueError, match="true grades alone"):
            distil_mlp.Options(**wrong)
    with pytest.raises(ValueError, match="needs a hidden layer"):
        distil_mlp.Options(hints="leaves", hidden=[])
