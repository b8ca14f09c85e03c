"""Thresholds as ranks: exact on float32 beside every edge, columns of at most 255, LightGBM's band of zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ModelError
from harness.trees.ranks import LIGHTGBM_ZERO, MOST_EDGES, floored, left_edges, ranks_of

FLOATS = st.floats(width=64, allow_nan=False)


@given(st.lists(FLOATS, min_size=1, max_size=20), st.sampled_from(["<", "<="]))
def test_edges_part_float32_like_thresholds(thresholds, operator):
    threshold = np.array([t for t in thresholds if operator == "<=" or t != -np.inf])
    exact = left_edges(threshold, operator, lightgbm_zero=False)
    edge = floored(exact)
    assert edge.dtype == np.float32
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
        x = np.concatenate([near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))])
    x = np.concatenate([x, np.float32([0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45])])[:, None]
    compared = x < threshold if operator == "<" else x <= threshold
    np.testing.assert_array_equal(x <= edge, compared)
    with np.errstate(over="ignore"):
        wide = np.concatenate([threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf)])[:, None]
    compared = wide < threshold if operator == "<" else wide <= threshold
    np.testing.assert_array_equal(wide <= exact, compared)


@pytest.mark.parametrize("n_edges", [1, 2, MOST_EDGES, MOST_EDGES + 1, 1000])
def test_a_rank_decides_as_its_edge_does(n_edges):
    rng = np.random.default_rng(n_edges)
    pool = rng.normal(size=n_edges)
    feature = np.repeat(np.int32([7, 2]), 3 * n_edges)
    edge = np.concatenate([np.tile(pool, 3), np.tile(pool + 1, 3)])
    ranks = ranks_of(feature, edge)
    assert ranks.feature.tolist() == sorted(ranks.feature.tolist())
    assert np.diff(ranks.begin).max() <= MOST_EDGES
    assert ranks.feature.size == 2 * -(-n_edges // MOST_EDGES)
    x = np.concatenate([pool, np.nextafter(pool, 9), pool + 1])
    for split in range(0, feature.size, 7):
        edges = ranks.edges_of(ranks.column[split])
        assert ranks.feature[ranks.column[split]] == feature[split]
        assert (np.diff(edges) > 0).all()
        below = (edges < x[:, None]).sum(axis=1)
        np.testing.assert_array_equal(below <= ranks.rank[split], x <= edge[split])


def test_lightgbms_zeros_change_sides_together():
    zero = float(LIGHTGBM_ZERO)
    threshold = np.array([0.0, 1e-40, zero, -1e-40, -zero, -2 * zero, 2 * zero])
    edge = floored(left_edges(threshold, "<=", lightgbm_zero=True))
    x = np.float32([0, 1e-45, -1e-45, zero, -zero])[:, None]
    np.testing.assert_array_equal(x <= edge, np.broadcast_to(threshold >= 0, (5, threshold.size)))
    outside = np.nextafter(np.float32([zero, -zero]), np.float32([1, -1]))[:, None]
    np.testing.assert_array_equal(outside <= edge, outside <= threshold)


def test_what_nothing_can_meet_is_refused():
    with pytest.raises(ModelError, match="split 1 compares x < -inf"):
        left_edges(np.array([0.0, -np.inf]), "<", lightgbm_zero=False)


def test_no_splits_are_no_columns():
    ranks = ranks_of(np.empty(0, dtype=np.int32), np.empty(0))
    assert ranks.feature.size == ranks.edges.size == 0
    assert ranks.begin.tolist() == [0]
