"""The input transform, against its formula in float64 and on values that are no numbers."""

from __future__ import annotations

import numpy as np
import pytest

from harness.mlp.transform import CLIP, InputTransform, Transformer, fit_transform


def log(x):
    return np.sign(x) * np.log1p(np.abs(x.astype(np.float64)))


def test_matches_its_formula_and_leaves_x_alone(splits):
    x = splits.train.features
    before = x.copy()
    transform = fit_transform(x)
    inputs = Transformer(transform)(x).numpy()

    logs = log(x)
    centred = (logs - np.nanmean(logs, axis=0)) / np.maximum(np.nanstd(logs, axis=0), 1e-9)
    expected = np.nan_to_num(np.clip(centred, -CLIP, CLIP))
    np.testing.assert_allclose(inputs[:, : x.shape[1]], expected, atol=2e-4)
    np.testing.assert_array_equal(inputs[:, x.shape[1] :], np.isnan(x[:, [0, 5]]))
    assert np.array_equal(x, before, equal_nan=True)


def test_indicators_only_where_train_has_missing_values(splits):
    transform = fit_transform(splits.train.features)
    assert transform.missing.tolist() == [0, 5]
    assert (transform.n_features, transform.n_inputs) == (12, 14)


def test_blocks_do_not_change_the_fit():
    rng = np.random.default_rng(0)
    x = rng.lognormal(3, 2, (40_000, 2)).astype(np.float32)
    transform = fit_transform(x)
    np.testing.assert_allclose(1 / transform.scale, log(x).std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(-transform.shift / transform.scale, log(x).mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.inf, CLIP), (-np.inf, -CLIP), (np.nan, 0.0), (3.4e38, CLIP), (-3.4e38, -CLIP), (0.0, 0.0), (-0.0, 0.0)],
)
def test_odd_values_become_finite(value, expected):
    transform = InputTransform(np.float32([1.0]), np.float32([0.0]), np.empty(0, dtype=np.int64))
    assert Transformer(transform)(np.float32([[value]])).numpy().tolist() == [[expected]]


@pytest.mark.parametrize("value", [5.0, 0.0, np.nan, 1e30])
def test_a_feature_that_never_varies_says_nothing(value):
    x = np.full((50, 1), value, dtype=np.float32)
    transform = fit_transform(x)
    seen = Transformer(transform)(np.float32([[value], [7.0], [np.inf]])).numpy()[:, 0]
    assert seen.tolist() == [0.0, 0.0, 0.0]


def test_an_infinity_in_train_does_not_spoil_the_feature():
    x = np.float32([[1.0], [2.0], [3.0], [np.inf]])
    transform = fit_transform(x)
    assert np.isfinite([transform.scale, transform.shift]).all()
    assert transform.missing.size == 0
    assert len(np.unique(Transformer(transform)(x).numpy())) == 4
