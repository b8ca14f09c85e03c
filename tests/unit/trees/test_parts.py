"""Large trees as sums of parts: every row in one leaf of one part, whatever the shape."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ModelError
from harness.trees.forest import LEAF, Tree
from harness.trees.parts import ELSEWHERE, parts_of
from harness.trees.traverse import leaf_index


def grown(n_leaves, rng, *, deepest=False):
    """A tree of random splits on 5 features; `deepest` splits the newest leaf each time, so that it is a chain."""
    left, right, leaves = [LEAF], [LEAF], [0]
    while len(leaves) < n_leaves:
        node = leaves.pop() if deepest else leaves.pop(int(rng.integers(len(leaves))))
        left[node], right[node] = len(left), len(left) + 1
        leaves += [len(left), len(left) + 1]
        left += [LEAF, LEAF]
        right += [LEAF, LEAF]
    n = len(left)
    inner = np.array(left) != LEAF
    return Tree(
        left=np.array(left, dtype=np.int32),
        right=np.array(right, dtype=np.int32),
        feature=np.where(inner, rng.integers(5, size=n), LEAF).astype(np.int32),
        threshold=np.where(inner, rng.normal(size=n), 0.0),
        default_left=inner & (rng.random(n) < 0.5),
        value=np.where(inner, 0.0, rng.normal(size=n)),
        cover=np.zeros(n),
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 400), st.integers(40, 70))
def test_parts_add_up_to_the_tree(seed, n_leaves, most_leaves):
    rng = np.random.default_rng(seed)
    tree = grown(n_leaves, rng)
    parts = parts_of(tree, most_leaves)
    assert all(part.tree.n_leaves <= most_leaves for part in parts)
    x = rng.normal(size=(300, 5)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    reached = [leaf_index(part.tree, x) for part in parts]
    total = sum(part.tree.value[leaf] for part, leaf in zip(parts, reached, strict=True))
    origin = np.stack([part.origin[leaf] for part, leaf in zip(parts, reached, strict=True)])
    whole = leaf_index(tree, x)
    assert ((origin != ELSEWHERE).sum(axis=0) == 1).all()
    np.testing.assert_array_equal(origin.max(axis=0), whole)
    np.testing.assert_array_equal(total, tree.value[whole])


def test_a_chain_is_cut_while_its_path_fits_and_refused_beyond():
    rng = np.random.default_rng(0)
    assert len(parts_of(grown(100, rng, deepest=True), 100)) == 1
    two_chains = grown(60, rng, deepest=True)
    assert len(parts_of(two_chains, 60)) == 1
    with pytest.raises(ModelError, match="lies 119 splits deep, 99 is the most") as caught:
        parts_of(grown(120, rng, deepest=True), 100)
    assert "gtil" in caught.value.remedy


def test_a_small_tree_is_its_only_part():
    tree = grown(9, np.random.default_rng(1))
    (part,) = parts_of(replace(tree), 9)
    np.testing.assert_array_equal(part.origin, np.arange(tree.n_nodes))
