"""distil_gbdt: the student follows the teacher, not the labels; the control is the same shape on the labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.bundle import seal
from harness.compress import distil_gbdt
from harness.protocols import Compression
from harness.ranking_data import Splits
from harness.records import NdcgSpec
from harness.scoring import score
from harness.trees.artefacts import load
from harness.trees.traverse import predict

SMALL = {"n_trees": 30, "n_leaves": 8, "min_rows_per_leaf": 5}


@pytest.fixture
def student(splits, tmp_path):
    made = iter(range(10))

    def build(bundle, data: Splits = splits, **options):
        out = tmp_path / f"student-{next(made)}"
        out.mkdir()
        work = Compression(bundle, bundle, data, out, 1, NdcgSpec(), lambda _: None)
        draft = distil_gbdt.apply(distil_gbdt.Options(**SMALL, **options), work)
        return seal(out, draft, origin={})

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
