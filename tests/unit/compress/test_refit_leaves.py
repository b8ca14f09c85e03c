"""refit_leaves: same splits, better leaves; nearer to the teacher, or to the grades; never worse on valid."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compress import refit_leaves, truncate
from harness.scoring import score
from harness.trees.artefacts import load
from harness.trees.pruning.mean_ndcg import MeanNdcg
from harness.trees.traverse import predict


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("objective", ["teacher", "lambdarank"])
def test_what_truncation_cost_is_regained_in_part(stepped, teacher, splits, kind, objective):
    whole = teacher(kind)
    short = stepped(truncate, whole, whole, keep_trees=6)
    refitted = stepped(refit_leaves, short, whole, objective=objective)
    valid = MeanNdcg(splits.valid, 10)
    before, after = (valid.of(predict(load(b), splits.valid.features)) for b in (short, refitted))
    assert after > before
    assert refitted.manifest.source == kind
    assert refitted.manifest.size.n_nodes == short.manifest.size.n_nodes
    for old, new in zip(load(short).trees, load(refitted).trees, strict=True):
        assert np.array_equal(old.threshold, new.threshold)
        assert np.array_equal(old.feature, new.feature)


def test_the_teacher_itself_has_nothing_to_regain(stepped, teacher, splits):
    whole = teacher("lightgbm")
    same = stepped(refit_leaves, whole, whole, objective="teacher", l2=1e9)
    assert score(same, splits.test.features) == pytest.approx(score(whole, splits.test.features), abs=1e-4)
