"""bitblend lets candidates leave within the kernel: the scores of the parts, put together in numpy, for any list."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hand_made_trees import category_stump, leaf, sealed, stump

from harness.early_exit import EarlyExitScorer, Exit
from harness.engines import _kernel, bitblend
from harness.engines.bitblend import library
from harness.engines.bitblend.leaving import LeavingScorer
from harness.errors import EngineError
from harness.trees import artefacts
from harness.trees.forest import LEAF, Forest, Tree
from harness.trees.traverse import predict

EIGHTH = 0.125
SENTINELS = (3, 6, 12)


class Part:
    """Some trees of a forest in numpy."""

    def __init__(self, forest, dtype=np.float32):
        self.forest, self.dtype, self.info, self.sizes = forest, dtype, {}, []

    def score(self, x):
        self.sizes.append(x.shape[0])
        return predict(self.forest, x.astype(self.dtype)).astype(np.float32)


@pytest.fixture(params=["lightgbm", "xgboost"])
def forest(request, teacher):
    """Leaves in eighths, so that sums are exact and no gap is near a cut between two of them."""
    rng = np.random.default_rng(0)
    own = artefacts.load(teacher(request.param))
    trees = [
        replace(tree, value=np.where(tree.is_leaf, rng.integers(-9, 9, tree.n_nodes) / 8, 0)) for tree in own.trees
    ]
    trees[4] = leaf(0.5)
    trees[7] = category_stump(2, [1, 5], -1.0, 2.0, default_left=False)
    return replace(own, trees=tuple(trees), base_score=0.25)


def exits(**changes):
    cuts = tuple(eighths * EIGHTH - EIGHTH / 2 for eighths in (-12, -8, -4))
    described = {"rule": "proximity", "sentinels": SENTINELS, "k": 3, "cuts": cuts, "base_score": 0.25, "mean_trees": 1}
    return Exit.model_validate(described | changes)


def parts_of(forest, sentinels, dtype=np.float32):
    ends = (0, *sentinels, len(forest.trees))
    return [Part(forest.with_trees(forest.trees[begin:end]), dtype) for begin, end in pairwise(ends)]


def opened(bundle, cache, exit_rule, **options):
    return bitblend.open_early_exit(bitblend.Options(**options), bundle, exit_rule, cache)


def balanced(thresholds, values):
    """A tree of feature 0 that looks for a value among ascending thresholds by halves."""
    n = 2 * len(thresholds) + 1
    left, right, value, threshold = np.full(n, LEAF, np.int32), np.full(n, LEAF, np.int32), np.zeros(n), np.zeros(n)
    pending, free = [(0, 0, len(thresholds))], iter(range(1, n))
    while pending:
        node, first, end = pending.pop()
        if first == end:
            value[node] = values[first]
            continue
        middle = (first + end) // 2
        threshold[node], left[node], right[node] = thresholds[middle], next(free), next(free)
        pending += [(left[node], first, middle), (right[node], middle + 1, end)]
    feature = np.where(left == LEAF, LEAF, 0).astype(np.int32)
    return Tree(left, right, feature, threshold, np.zeros(n, bool), value, np.zeros(n))


def lists(forest, lengths):
    rng = np.random.default_rng(1)
    for n in lengths:
        x = rng.normal(size=(n, forest.n_features)).astype(np.float32)
        x[:, 2] = rng.choice([1, 5, 2, np.nan], n)
        yield x


@pytest.mark.parametrize("isa", library.KERNEL.supported())
@pytest.mark.parametrize("k", [1, 3, 200])
def test_scores_are_those_of_the_parts_put_together(forest, tmp_path, engine_cache, isa, k):
    scorer = opened(sealed(forest, tmp_path / "bundle"), engine_cache, exits(k=k), isa=isa)
    assert isinstance(scorer, LeavingScorer)
    parts = parts_of(forest, SENTINELS)
    expected = EarlyExitScorer(exits(k=k), parts)
    for x in lists(forest, (0, 1, 2, 15, 16, 17, 32, 33, 100, 127, 128, 129, 256, 300, 900)):
        found = scorer.score(x)
        np.testing.assert_allclose(found, expected.score(x), atol=1e-5)
        np.testing.assert_allclose(scorer.score(x.astype(np.float64)), found, atol=1e-6)
    if k < 200:
        assert all(after < before for before, after in pairwise([part.sizes[-1] for part in parts])), (
            "some always leave"
        )


def test_float64_rows_are_told_apart_by_full_thresholds(teacher, tmp_path, engine_cache):
    own = artefacts.load(teacher("lightgbm"))
    scorer = opened(sealed(own, tmp_path / "bundle"), engine_cache, exits(base_score=own.base_score), float64=True)
    splits = [(tree.feature[~tree.is_leaf], tree.threshold[~tree.is_leaf]) for tree in own.trees]
    feature, threshold = map(np.concatenate, zip(*splits, strict=True))
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, own.n_features))
    for column in np.unique(feature):
        x[:, column] = np.nextafter(rng.choice(threshold[feature == column], 200), np.inf)
    parts = parts_of(own, SENTINELS, np.float64)
    expected = EarlyExitScorer(exits(base_score=own.base_score), parts).score(x)
    np.testing.assert_allclose(scorer.score(x), expected, atol=1e-5)
    assert np.abs(scorer.score(x.astype(np.float32)) - expected).max() > 1e-3


def test_a_tree_in_several_parts_belongs_to_one_stage(tmp_path, engine_cache):
    """More than 256 leaves are more than the kernel takes at once."""
    rng = np.random.default_rng(0)
    tall = balanced(np.sort(rng.normal(size=400)), rng.integers(-9, 9, 401) / 8)
    forest = Forest((stump(1, 0.0, 1.0, -1.0), tall, stump(2, 0.0, 0.5, 2.0), tall), 3, base_score=0.25)
    rule = exits(sentinels=(1, 2), cuts=(-1.9375, -0.9375))
    scorer = opened(sealed(forest, tmp_path / "bundle"), engine_cache, rule)
    assert scorer._stages["n_trees"].tolist() == [1, 2, 3]
    x = rng.normal(size=(300, 3)).astype(np.float32)
    np.testing.assert_allclose(scorer.score(x), EarlyExitScorer(rule, parts_of(forest, (1, 2))).score(x), atol=1e-5)


def test_groups_of_trees_end_at_sentinels(forest, tmp_path, engine_cache):
    scorer = opened(sealed(forest, tmp_path / "bundle"), engine_cache, exits())
    assert scorer._stages["n_trees"].tolist() == [3, 3, 6, len(forest.trees) - 12]


def test_threads_share_a_scorer(forest, tmp_path, engine_cache):
    scorer = opened(sealed(forest, tmp_path / "bundle"), engine_cache, exits())
    many = list(lists(forest, [40, 150, 300] * 20))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(scorer.score, many))
    for x, own in zip(many, found, strict=True):
        np.testing.assert_array_equal(own, scorer.score(x))


def test_rows_of_another_kind_are_refused(forest, tmp_path, engine_cache):
    scorer = opened(sealed(forest, tmp_path / "bundle"), engine_cache, exits())
    with pytest.raises(EngineError, match=f"needs float32 or float64 rows of {forest.n_features} features"):
        scorer.score(np.zeros((4, 1), np.float32))


def test_what_only_parts_can_do_is_left_to_them(forest, tmp_path, engine_cache, monkeypatch):
    bundle = sealed(forest, tmp_path / "bundle")
    assert opened(bundle, engine_cache, exits(rule="classifier")) is None
    assert opened(bundle, engine_cache, exits(), n_threads=2) is None
    tall = Forest((category_stump(0, [1 << 29], 1.0, 2.0, default_left=True), leaf(1.0)), 2)
    assert opened(sealed(tall, tmp_path / "tall"), engine_cache, exits(sentinels=(1,), cuts=(0.0,))) is None
    monkeypatch.setattr(_kernel, "find_compiler", raising)
    assert opened(bundle, tmp_path / "cache", exits()) is None


def raising():
    raise EngineError("there is no compiler")
