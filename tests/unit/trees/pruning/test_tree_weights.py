"""New tree weights: the ridge start against a dense solve, and that the NDCG search climbs, finds and ends."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from harness.ndcg import ndcg
from harness.ranking_data import RankingData
from harness.records import NdcgSpec
from harness.trees.pruning.tree_scores import TreeScores
from harness.trees.pruning.tree_weights import best_ridge, line_search, ridge_weights, searched

K = 5
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


def scores_of(matrix, grades, group_sizes):
    x = np.zeros((len(grades), 0), dtype=np.float32)
    data = RankingData("split", x, np.array(grades, np.int32), np.array(group_sizes), ())
    return TreeScores(np.asarray(matrix, dtype=np.float32), data, K)


def pairs_of(groups):
    """Query groups of a worse and a better candidate, the worse one first: it wins where scores are equal.

    groups: by query group what each tree adds to the better candidate, so a group is ranked well where the weighted
    trees add up to more than 0.
    """
    better = np.array(groups).T
    matrix = np.stack([np.zeros_like(better), better], axis=2).reshape(better.shape[0], -1)
    return scores_of(matrix, [0, 1] * better.shape[1], [2] * better.shape[1])


def random_scores(seed, sizes, n_trees=6):
    """Trees that know the grades more or less, tell query groups apart, and have noise of their own and in common."""
    rng = np.random.default_rng(seed)
    rows = int(np.sum(sizes))
    grades = rng.integers(4, size=rows)
    matrix = np.linspace(0.0, 0.6, n_trees)[:, None] * grades + rng.normal(size=(n_trees, rows)) + rng.normal(size=rows)
    matrix += np.repeat(rng.normal(size=(n_trees, len(sizes))) * 5, sizes, axis=1)
    return scores_of(matrix, grades, sizes)


def quality(scores, trees, weights):
    total = sum(weight * scores.matrix[tree].astype(np.float64) for tree, weight in zip(trees, weights, strict=True))
    return float(np.nanmean(ndcg(total, scores.data, NdcgSpec(k=K))))


def centred(scores, values):
    """Values (n_rows, ...) less their mean in each query group, group by group."""
    parts = [values[scores.data.rows_of(group)] for group in range(scores.data.n_groups)]
    return np.concatenate([part - part.mean(axis=0) for part in parts])


def dense_ridge(scores, trees, share, ridge):
    """Weights by the normal equations on query-centred scores; the penalty draws them to the best common weight."""
    x = centred(scores, scores.matrix.T.astype(np.float64))
    teacher, gains = x.sum(axis=1), centred(scores, 2.0**scores.data.grades - 1)
    target = (1 - share) * teacher + share * gains * teacher.std() / gains.std()
    kept = x[:, trees]
    (common,), *_ = np.linalg.lstsq(kept.sum(axis=1)[:, None], target, rcond=None)
    penalty = ridge * np.square(kept).sum() / len(trees)
    return np.linalg.solve(kept.T @ kept + penalty * np.eye(len(trees)), kept.T @ target + penalty * common)


def moments_of(scores, share):
    return (1 - share) * scores.teacher_moments + share * scores.label_moments


@pytest.fixture(scope="module")
def many_rows():
    """More rows than are centred at a time, and a query group that alone is longer."""
    return random_scores(1, [1, 7, 17_000, *[40] * 500, 3])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("ridge", [0.0, 1e-3, 1.0, 10.0])
def test_ridge_is_the_dense_solve(many_rows, share, ridge):
    trees = np.array([0, 2, 5])
    found = ridge_weights(many_rows, trees, moments_of(many_rows, share), ridge)
    assert found == pytest.approx(dense_ridge(many_rows, trees, share, ridge), rel=1e-9)


def test_what_stays_takes_over_what_its_twin_did():
    rng = np.random.default_rng(2)
    twin, own = rng.normal(size=(2, 60)).astype(np.float32)
    scores = scores_of([twin, own, 2 * twin], rng.integers(3, size=60), [6] * 10)
    assert ridge_weights(scores, np.array([0, 1]), scores.teacher_moments, 1e-9) == pytest.approx([3, 1], abs=1e-6)
    assert ridge_weights(scores, np.array([1, 2]), scores.teacher_moments, 1e-9) == pytest.approx([1, 1.5], abs=1e-6)


def test_the_penalty_draws_the_weights_together():
    """All to the best common weight, not to 0."""
    scores, trees = random_scores(3, [8] * 30), np.array([1, 3, 4])
    fits = [ridge_weights(scores, trees, moments_of(scores, 1.0), ridge) for ridge in (0.0, 0.1, 1.0, 10.0, 1e9)]
    spreads = [np.ptp(fit) for fit in fits]
    assert spreads[0] > 0.3
    assert all(after < 0.9 * before for before, after in pairwise(spreads))
    kept = centred(scores, scores.matrix[trees].sum(axis=0, dtype=np.float64))
    assert fits[-1] == pytest.approx([kept @ scores.labels / (kept @ kept)] * 3, rel=1e-6)


def test_ridge_leaves_out_what_tells_query_groups_apart():
    """Levels of whole query groups, by which the trees differ most, change no ranking and no weight."""
    rng = np.random.default_rng(4)
    matrix, grades, sizes = rng.integers(-8, 8, size=(4, 80)) / 8, rng.integers(3, size=80), [5, 3, 8, 4] * 4
    levels = np.repeat(rng.integers(-64, 64, size=(4, 16)), sizes, axis=1)
    trees = np.array([0, 1, 3])
    plain, shifted = (
        ridge_weights(scores, trees, moments_of(scores, 0.5), 0.1)
        for scores in (scores_of(matrix, grades, sizes), scores_of(matrix + levels, grades, sizes))
    )
    assert shifted == pytest.approx(plain, rel=1e-9)


def test_trees_that_tell_no_candidates_apart_keep_their_weights():
    scores = scores_of(np.repeat([[1.0, 2.0], [3.0, -1.0]], 3, axis=1), [0, 1, 2] * 2, [3, 3])
    assert ridge_weights(scores, np.arange(2), scores.teacher_moments, 0.1).tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_best_ridge_is_the_fit_on_train_that_is_best_on_valid(seed):
    train, valid, trees = random_scores(seed, [6] * 20), random_scores(seed + 100, [6] * 40), np.array([0, 1, 3, 5])
    fits = [np.ones(4), *(dense_ridge(train, trees, share, ridge) for share in SHARES for ridge in RIDGES)]
    reached = [quality(valid, trees, fit) for fit in fits]
    found = best_ridge(train, valid, trees)
    assert max(reached) > reached[0], "the old weights can be bettered"
    assert quality(valid, trees, found) == pytest.approx(max(reached), abs=1e-12)
    assert any(found == pytest.approx(fit, rel=1e-9) for fit in fits)


def test_best_ridge_keeps_old_weights_that_nothing_betters():
    train, valid = random_scores(1, [6] * 20, n_trees=2), pairs_of([(1, 1), (2, 1)])
    assert best_ridge(train, valid, np.arange(2)).tolist() == [1, 1]


@pytest.mark.parametrize("trees", [[0, 1, 2, 3, 4, 5], [1, 2, 5]])
@pytest.mark.parametrize("seed", range(3))
def test_no_step_of_the_search_lowers_ndcg(seed, trees):
    scores, start = random_scores(seed, [8] * 30), np.ones(len(trees))
    steps = [start, *islice(line_search(scores, np.array(trees), start), 100)]
    reached = [quality(scores, trees, weights) for weights in steps]
    assert 3 < len(steps) < 100, "it gains more than once, and ends"
    assert all(after > before for before, after in pairwise(reached))
    assert reached[-1] > reached[0] + 0.03
    assert start.tolist() == [1] * len(trees), "the start is left alone"


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("first", [True, False])
def test_the_search_finds_the_weight_that_a_loud_tree_should_have(sign, first):
    """The loud tree decides three query groups alone, and in two drowns the other: its share must be in (0, 1/2).

    Two trees that are not kept are wrong wherever they are asked; a tree may start with a weight below 0.
    """
    wrong = -9.0
    examples = [(1, 0)] * 3 + [(-2, 1)] * 2
    scores = pairs_of([(wrong, loud, wrong, sign * other) for loud, other in examples])
    trees, start = np.array([1, 3]), np.array([1.0, sign])
    if not first:
        trees, start = trees[::-1], start[::-1]
    assert quality(scores, trees, start) == pytest.approx((3 + 2 / np.log2(3)) / 5)
    *_, last = line_search(scores, trees, start)
    assert quality(scores, trees, last) == 1
    loud, other = last if first else last[::-1]
    assert 0 < loud / (sign * other) < 1 / 2


def test_steps_that_are_good_alone_but_too_long_together_and_too_wide_at_first():
    """Right where the first weight is 1.01 to 1.05 times the second: less than the first steps, or two steps, miss."""
    groups = [(1, -1.01)] + [(-1, 1.05)] * 2
    scores, trees = pairs_of(groups), np.arange(2)
    (last,) = line_search(scores, trees, np.ones(2))
    assert 1.01 < last[0] / last[1] < 1.05
    assert last[0] > 1 > last[1], "both trees moved"
    assert quality(scores, trees, last) == 1


def test_a_tree_that_ranks_backwards_is_turned_round():
    grades = [1, 0, 3, 2] * 3  # even without scores they are not at their worst
    scores = scores_of([[-grade for grade in grades]], grades, [4] * 3)
    *_, last = line_search(scores, np.arange(1), np.ones(1))
    assert last[0] < 0
    assert quality(scores, [0], last) == 1


def test_steps_are_as_wide_as_the_weights():
    scores, trees = random_scores(5, [8] * 20), np.arange(6)
    small = TreeScores(scores.matrix / 64, scores.data, K)
    found, scaled = list(line_search(scores, trees, np.ones(6))), list(line_search(small, trees, np.full(6, 64.0)))
    assert len(found) > 2
    assert np.allclose(np.array(scaled), 64 * np.array(found), rtol=1e-12)


@pytest.mark.parametrize(
    ("groups", "start"),
    [
        ([(1, 0), (0, 1), (2, -1)], [1, 1]),  # perfect
        ([(0, 0), (0, 0)], [1, 1]),  # trees that rank nothing
        ([(2, -1), (-2, 1)], [1, 1]),  # what one query group gains, the other loses
        ([(1, 2), (3, 1)], [0, 0]),  # weights that give no width
    ],
)
def test_a_search_without_gain_ends_without_a_step(groups, start):
    assert list(line_search(pairs_of(groups), np.arange(2), np.array(start, dtype=float))) == []


def test_a_gain_on_train_that_valid_does_not_share_is_left():
    train, valid = pairs_of([(1, 0), (-2, 1)]), pairs_of([(2, -1), (1, 0)])
    start = np.ones(2)
    assert len(list(line_search(train, np.arange(2), start))) > 0
    assert searched(train, valid, np.arange(2), start).tolist() == [1, 1]


def test_the_best_on_valid_is_kept_and_three_rounds_in_vain_end_the_search():
    cut, resumed = 0, 0
    for seed in range(3):
        train, valid = (random_scores(own, [8] * 20, n_trees=12) for own in (seed, seed + 50))
        trees, start = np.arange(12), np.ones(12)
        path = [start, *line_search(train, trees, start)]
        reached = [round(quality(valid, trees, weights), 12) for weights in path]
        in_vain = [n for n in range(len(path)) if n - int(np.argmax(reached[: n + 1])) == 3]
        best = int(np.argmax(reached[: in_vain[0] + 1] if in_vain else reached))
        assert searched(train, valid, trees, start).tolist() == path[best].tolist()
        cut += best != int(np.argmax(reached))
        lower = [n for n in range(1, best) if reached[n] <= max(reached[:n])]
        resumed += len(lower) >= 3
    assert cut, "in some case the search would have gone on to something better"
    assert resumed, "in some case there were three rounds in vain before the best, but not in a row"
