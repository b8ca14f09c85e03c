"""LightGBM texts that Treelite would silently read wrongly are refused."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from harness.errors import ModelError
from harness.trees.formats.lightgbm_text import check_text, objective_of, to_text


@pytest.fixture(scope="module")
def text_of():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) * (rng.random((400, 3)) < 0.6)
    y = x[:, 0] + 0.1 * rng.normal(size=400)

    def build(**params):
        train_set = lightgbm.Dataset(x, y, params={"verbosity": -1, **params})
        settings = {"objective": "regression", "num_leaves": 6, "verbosity": -1, "num_threads": 1, **params}
        return lightgbm.train(settings, train_set, 2).model_to_string()

    return build


def test_an_ordinary_model_passes(text_of):
    check_text(text_of(), where="m")
    check_text(text_of().replace("\n", "\r\n"), where="m")


def test_zero_as_missing_is_refused_with_tree_and_split(text_of):
    with pytest.raises(ModelError, match=r"tree 0, split \d+ treats zero as missing"):
        check_text(text_of(zero_as_missing=True), where="m")


def test_linear_leaves_are_refused(text_of):
    with pytest.raises(ModelError, match="linear models in its leaves"):
        check_text(text_of(linear_tree=True), where="m")


def test_a_text_cut_off_is_refused(text_of):
    text = text_of()
    with pytest.raises(ModelError, match="cut off"):
        check_text(text[: len(text) // 3], where="m")


def test_another_text_is_refused():
    with pytest.raises(ModelError, match="not a LightGBM model"):
        check_text("hello", where="m")


def test_objective_is_kept(text_of, forest_of):
    assert objective_of(text_of()) == "regression"
    assert objective_of(to_text(forest_of(1, [2]), objective="binary sigmoid:1")) == "binary sigmoid:1"
