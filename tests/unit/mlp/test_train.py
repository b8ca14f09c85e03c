"""Training: repeatable, stops at the best epoch, leaves torch as it was, and says when it fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.errors import ModelError
from harness.mlp.examples import Examples
from harness.mlp.losses import centred_squares, lambda_rank, listwise
from harness.mlp.objective import Lesson, Objective
from harness.mlp.options import NetworkOptions
from harness.mlp.scorer import MlpScorer
from harness.mlp.train import fit
from harness.mlp.transform import fit_transform
from harness.ndcg import ndcg
from harness.records import NdcgSpec

SPEC = NdcgSpec()


@pytest.fixture
def fitted(splits):
    def run(loss=listwise, *, examples=None, valid=splits.valid, progress=lambda _: None, **options):
        asked = NetworkOptions(**{"hidden": (16, 8), "epochs": 4, "learning_rate": 0.003, **options})
        examples = examples or Examples.of_grades(splits.train)
        transform = fit_transform(splits.train.features)
        lesson = Lesson(transform, examples, Objective(loss), valid, SPEC, progress)
        return fit(asked, lesson, n_threads=1)

    return run


def weights(model):
    return np.concatenate([layer.weight.ravel() for layer in model.layers])


def test_a_seed_repeats_and_another_does_not(fitted):
    first, again, other = (weights(fitted(seed=seed, dropout=0.1, epochs=2).model) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_torch_is_as_before(fitted):
    torch.manual_seed(9)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    fitted(epochs=1)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("loss", [listwise, lambda_rank(20)])
def test_it_learns(fitted, splits, loss):
    model = fitted(loss, epochs=25, hidden=(32, 16), patience=25).model
    untrained = fitted(loss, epochs=1, learning_rate=1e-9).model
    after, before = (
        np.nanmean(ndcg(MlpScorer(m).score(splits.test.features), splits.test, SPEC)) for m in (model, untrained)
    )
    assert after > before + 0.2


def test_the_best_epoch_is_kept(fitted, splits):
    """A rate this high makes NDCG go up and down, so that the last epoch is not the best."""
    result = fitted(epochs=40, patience=5, learning_rate=0.05)
    course = result.course
    assert course.best_epoch == 1 + int(np.argmax(course.history))
    assert len(course.history) == course.best_epoch + 5 < 40
    kept = np.nanmean(ndcg(MlpScorer(result.model).score(splits.valid.features), splits.valid, SPEC))
    assert kept == pytest.approx(max(course.history), abs=1e-6)
    assert kept > course.history[-1]
    assert result.facts["valid_ndcg"] == max(course.history)


def test_regression_follows_targets_up_to_a_constant_per_group(fitted, splits):
    data = splits.train
    target = np.nan_to_num(data.features[:, 1]) + np.repeat(np.arange(data.n_groups) * 10, data.group_sizes)
    examples = Examples(data.features, target.astype(np.float32), data.group_sizes)
    wanted = np.digitize(splits.valid.features[:, 1], [-1, 0, 1, 2]).astype(np.int32)
    valid = replace(splits.valid, grades=wanted)
    model = fitted(centred_squares, examples=examples, valid=valid, epochs=30, patience=30).model
    scores = MlpScorer(model).score(splits.test.features)
    assert np.corrcoef(scores, splits.test.features[:, 1])[0, 1] > 0.95


def test_progress_is_sparse(fitted):
    told = []
    fitted(epochs=11, patience=11, progress=told.append)
    assert [(count.what, count.n_done, count.n) for count in told] == [("epoch", 5, 11), ("epoch", 10, 11)]


def test_groups_of_one_and_groups_without_positive(fitted, splits):
    data = replace(splits.train, group_sizes=np.ones(splits.train.n_rows, dtype=np.int64))
    assert np.isfinite(weights(fitted(examples=Examples.of_grades(data), epochs=1).model)).all()


def test_divergence_is_an_error_with_a_remedy(fitted, splits):
    data = splits.train
    examples = Examples(data.features, np.full(data.n_rows, np.nan, dtype=np.float32), data.group_sizes)
    with pytest.raises(ModelError, match="diverged in epoch 1") as caught:
        fitted(centred_squares, examples=examples)
    assert "learning_rate" in caught.value.remedy


def test_a_grade_too_high_is_named(splits):
    grades = splits.train.grades.copy()
    grades[17] = 31
    with pytest.raises(ModelError, match="grade 31 in row 17"):
        Examples.of_grades(replace(splits.train, grades=grades))
