"""Units taken out: which ones go, and that what is left computes what it did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.mlp.examples import Examples
from harness.mlp.losses import centred_squares
from harness.mlp.model import MlpModel
from harness.mlp.neurons import by_norm, by_taylor, fewest_parameters, shrunk, sliced
from harness.mlp.objective import Lesson, Objective
from harness.mlp.scorer import MlpScorer
from harness.records import NdcgSpec

DEAD = ([1, 4], [0, 7])


@pytest.fixture
def with_dead_units(random_model):
    """16-8 units, of which some give nothing to the next layer."""
    model = random_model(16, 8)
    layers = list(model.layers)
    for place, units in enumerate(DEAD):
        weight = layers[place + 1].weight.copy()
        weight[:, units] = 0
        layers[place + 1] = replace(layers[place + 1], weight=weight)
    return MlpModel(model.transform, tuple(layers))


@pytest.fixture
def lesson(with_dead_units, candidates):
    x = candidates
    targets = np.random.default_rng(2).normal(size=len(x)).astype(np.float32)
    examples = Examples(x, targets, np.full(30, 10))
    return Lesson(with_dead_units.transform, examples, Objective(centred_squares), None, NdcgSpec(), print)


def alive(width, dead):
    keep = np.ones(width, dtype=bool)
    keep[dead] = False
    return keep


def test_without_dead_units_it_scores_as_before(with_dead_units, candidates):
    small = sliced(with_dead_units, [alive(16, DEAD[0]), alive(8, DEAD[1])])
    assert small.hidden == (14, 6)
    expected = MlpScorer(with_dead_units).score(candidates)
    np.testing.assert_allclose(MlpScorer(small).score(candidates), expected, rtol=1e-4, atol=1e-5)


def test_dead_units_are_worth_nothing(with_dead_units, lesson):
    for worth in (by_norm(with_dead_units), by_taylor(with_dead_units, lesson, 16, seed=1)):
        assert [np.flatnonzero(own == 0).tolist() for own in worth] == list(DEAD)
        assert all((own >= 0).all() for own in worth)


def test_they_go_first(with_dead_units, candidates):
    n_without_dead = sliced(with_dead_units, [alive(16, DEAD[0]), alive(8, DEAD[1])]).size.n_parameters
    small = shrunk(with_dead_units, by_norm(with_dead_units), n_without_dead)
    assert small.size.n_parameters == n_without_dead
    assert np.allclose(MlpScorer(small).score(candidates), MlpScorer(with_dead_units).score(candidates), atol=1e-4)


def test_a_layer_loses_half_at_most_in_one_go(random_model):
    model = random_model(16, 8)
    worth = [np.zeros(16), np.ones(8)]
    assert shrunk(model, worth, 1).hidden == (8, 4)
    assert shrunk(model, worth, model.size.n_parameters).hidden == (16, 8), "small enough already"
    assert fewest_parameters(model) == 9 + 1 + 1 + 1 + 1 + 1
