from __future__ import annotations

import pytest

from harness.mlp.widths import n_parameters, narrower


def test_parameters_are_weights_and_biases(random_model):
    assert n_parameters(9, [16, 8]) == random_model(16, 8).size.n_parameters


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_narrower_comes_close_from_below(share):
    before = n_parameters(136, [400, 200, 100])
    narrow = narrower([400, 200, 100], before, round(share * before))
    assert 0.85 * share * before < n_parameters(136, narrow) <= share * before


def test_no_narrower_than_one_unit():
    assert narrower([4, 2], n_parameters(9, [4, 2]), 1) == [1, 1]
