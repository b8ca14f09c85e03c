"""LambdaRank derivatives and the NDCG of many rankings, against slow references pair by pair and ranking by ranking."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.ndcg import ndcg
from harness.records import NdcgSpec
from harness.trees.pruning.lambdarank import LambdaRank
from harness.trees.pruning.mean_ndcg import MeanNdcg


@pytest.fixture
def scores(splits):
    rng = np.random.default_rng(3)
    return rng.normal(size=splits.train.n_rows).round(1)  # with ties


def slow_derivatives(scores, data, k, top):
    first, second = np.zeros(data.n_rows), np.zeros(data.n_rows)
    for group in range(data.n_groups):
        begin = int(data.offsets[group])
        own, grades = scores[data.rows_of(group)], data.grades[data.rows_of(group)]
        best = sorted(grades.tolist(), reverse=True)[:k]
        ideal = sum((2**g - 1) / math.log2(i + 2) for i, g in enumerate(best))
        order = sorted(range(own.size), key=lambda i: -own[i])
        for p in range(min(top, own.size)):
            for q in range(p + 1, own.size):
                i, j = (order[p], order[q]) if grades[order[p]] > grades[order[q]] else (order[q], order[p])
                if grades[i] == grades[j]:
                    continue
                gain = 2.0 ** grades[i] - 2.0 ** grades[j]
                swap = gain * abs(1 / math.log2(p + 2) - 1 / math.log2(q + 2)) / ideal
                wrong = 1 / (1 + math.exp(own[i] - own[j]))
                first[begin + i] -= wrong * swap
                first[begin + j] += wrong * swap
                for row in (i, j):
                    second[begin + row] += wrong * (1 - wrong) * swap
    return first, second


@pytest.mark.parametrize("k", [3, 10])
def test_derivatives(splits, scores, k, monkeypatch):
    monkeypatch.setattr("harness.trees.pruning.lambdarank._TOP", 5)
    found = LambdaRank(splits.train, k).derivatives(scores)
    for own, expected in zip(found, slow_derivatives(scores, splits.train, k, max(k, 5)), strict=True):
        assert own == pytest.approx(expected, abs=1e-12)


def test_derivatives_stay_finite_far_out(splits, scores):
    first, second = LambdaRank(splits.train, 10).derivatives(scores * 1e6)
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()


@pytest.mark.parametrize("k", [1, 10])
def test_mean_ndcg_is_that_of_one_ranking_at_a_time(splits, scores, k):
    direction = np.random.default_rng(4).normal(size=scores.size)
    steps = np.array([-2.0, 0.0, 0.5, 1e-3])
    expected = [np.nanmean(ndcg(scores + s * direction, splits.train, NdcgSpec(k=k, empty="skip"))) for s in steps]
    assert MeanNdcg(splits.train, k).along(scores, direction, steps) == pytest.approx(expected, abs=1e-12)
    assert MeanNdcg(splits.train, k).of(scores) == pytest.approx(expected[1], abs=1e-12)
