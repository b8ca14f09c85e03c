"""Synthetic documents: where their values may lie."""

from __future__ import annotations

import numpy as np

from harness.mlp.synthetic import cross, draw, split_midpoints

X = np.float32([[0, 5, np.nan, 1], [10, 5, np.nan, np.inf], [4, 5, np.nan, 2]])


def test_lists_hold_midpoints_and_the_ends_of_the_data():
    feature = np.array([0, 0, 0, 0, 3])
    threshold = np.array([2.0, 6.0, 2.0, 7.0, 1.5])
    lists = split_midpoints(feature, threshold, X)
    assert [values.tolist() for values in lists[:2]] == [[0.0, 4.0, 6.5, 10.0], [5.0]]
    assert np.isnan(lists[2]).tolist() == [True]
    assert lists[3].tolist() == [1.0, 2.0]


def test_a_threshold_at_infinity_is_left_out():
    lists = split_midpoints(np.array([0, 0, 0]), np.array([1.0, 3.0, np.inf]), X)
    assert lists[0].tolist() == [0.0, 2.0, 10.0]


def test_documents_are_drawn_from_the_lists_uniformly():
    lists = [np.float32([1, 2, 3, 4]), np.float32([7])]
    documents = draw(lists, np.array([0.25, 0.0]), 4000, np.random.default_rng(0))
    assert documents.dtype == np.float32
    present = documents[~np.isnan(documents[:, 0]), 0]
    values, counts = np.unique(present, return_counts=True)
    assert values.tolist() == [1, 2, 3, 4]
    assert (np.abs(counts - 750) < 120).all()
    assert (documents[:, 1] == 7).all()


def test_crossed_documents_mix_two_rows():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    documents = cross(x, 500, np.random.default_rng(0))
    assert documents.shape == (500, 4)
    assert (documents % 4 == np.arange(4)).all(), "every value stays in its column"
    parents = [set((row // 4).tolist()) for row in documents]
    assert max(len(rows) for rows in parents) == 2


def test_no_documents():
    rng = np.random.default_rng(0)
    assert draw([np.float32([1])], np.array([0.0]), 0, rng).shape == (0, 1)
    assert cross(X, 0, rng).shape == (0, 4)
