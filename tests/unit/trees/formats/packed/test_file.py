"""Packed files: what goes in comes out, in few bits; damaged ones end in an error, whatever the damage."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError, ModelError
from harness.trees import artefacts
from harness.trees.forest import Forest, Tree
from harness.trees.formats import packed
from harness.trees.formats.packed import file, header, tables
from harness.trees.formats.packed.leaves import narrowed, with_codes
from harness.trees.traverse import leaf_indices, predict

EXAMPLES = settings(max_examples=25, deadline=None)


def unpacked(content: bytes) -> Forest:
    return file.unpack(np.frombuffer(content, dtype=np.uint8))


def numbered_by_level(forest: Forest) -> Forest:
    return forest.with_trees(tuple(t.collapsed(np.zeros(t.n_nodes, bool), t.value) for t in forest.trees))


def check_same(forest: Forest, found: Forest, x: np.ndarray) -> None:
    assert replace(found, trees=()) == replace(forest, trees=())
    assert [tree.n_nodes for tree in found.trees] == [tree.n_nodes for tree in forest.trees]
    same = numbered_by_level(forest)
    np.testing.assert_array_equal(leaf_indices(found, x), leaf_indices(same, x))
    wide = {"threshold_type": "float64"}
    exact, close = predict(replace(same, **wide), x), predict(replace(found, **wide), x)
    np.testing.assert_allclose(close, exact, atol=2e-6 * np.abs(exact).max())


@given(
    seed=st.integers(0, 10_000),
    splits=st.lists(st.integers(0, 90), min_size=1, max_size=6),
    operator=st.sampled_from(["<", "<="]),
    threshold_type=st.sampled_from(["float32", "float64"]),
    categories=st.sampled_from(["", "any"]),
)
@EXAMPLES
def test_every_row_reaches_the_same_leaf_and_scores_alike(
    forest_of, awkward_rows, seed, splits, operator, threshold_type, categories
):
    rest = {"average": seed % 2 == 0, "base_score": seed / 7, "task": "kRegressor", "postprocessor": "sigmoid"}
    forest = forest_of(
        seed, splits, categories=categories, operator=operator, threshold_type=threshold_type, sigmoid_alpha=2.0, **rest
    )
    check_same(forest, unpacked(file.pack(forest)), awkward_rows(seed, 60))


def test_many_thresholds_of_one_feature_and_many_levels(awkward_rows):
    rng = np.random.default_rng(3)
    n = 400  # a chain: each right child splits on
    at = np.arange(2 * n + 1)
    inner = (at % 2 == 0) & (at < 2 * n)
    tree = Tree(
        left=np.where(inner, at + 1, -1).astype(np.int32),
        right=np.where(inner, at + 2, -1).astype(np.int32),
        feature=np.where(inner, 1, -1).astype(np.int32),
        threshold=np.where(inner, rng.normal(size=at.size), 0.0),
        default_left=inner & (at % 4 == 0),
        value=np.where(inner, 0.0, rng.normal(size=at.size)),
        cover=np.zeros(at.size),
    )
    forest = Forest((tree,) * 3, 4)
    x = rng.normal(size=(200, 4)).astype(np.float32)
    x[::7] = np.nan
    check_same(forest, unpacked(file.pack(forest)), x)


def test_lone_leaves_and_sums_that_no_step_is_fine_enough_for(forest_of, awkward_rows):
    lone = forest_of(0, [0, 0], base_score=0.25)
    assert predict(unpacked(file.pack(lone)), awkward_rows(0, 1)) == pytest.approx(predict(lone, awkward_rows(0, 1)))
    forest = forest_of(1, [3, 3])
    for factor in (0.0, 4e307):
        awkward = forest.with_trees(tuple(replace(tree, value=tree.value * factor) for tree in forest.trees * 4))
        found = unpacked(file.pack(awkward))
        assert np.array_equal(found.trees[0].value, numbered_by_level(awkward).trees[0].value)


@pytest.mark.parametrize("operator", ["<", "<="])
def test_thresholds_in_float32_split_float32_alike(operator):
    rng = np.random.default_rng(5)
    near = rng.normal(size=200).astype(np.float32).astype(np.float64)
    finite = np.finfo(np.float32)
    thresholds = np.concatenate(
        [near, near * (1 + 1e-12), near * (1 - 1e-12), [np.inf, -np.inf, 0.0, -0.0, 1e-60, -1e-60, 1e300, -1e300]]
    )
    sides = tables.float32_sides(thresholds, operator)
    around = np.concatenate([near.astype(np.float32), sides, np.float32([np.inf, -np.inf, finite.max, finite.min])])
    x = np.concatenate([around, np.nextafter(around[np.isfinite(around)], np.float32(0)), np.float32([1e-45, -1e-45])])
    compare = np.less if operator == "<" else np.less_equal
    np.testing.assert_array_equal(
        compare(x[:, None].astype(np.float64), thresholds), compare(x[:, None], sides), strict=True
    )


@pytest.mark.parametrize("encoding", ["fp16", "int8", "int4"])
@pytest.mark.parametrize("threshold_type", ["float32", "float64"])
def test_narrow_leaves_come_back_bit_for_bit(forest_of, encoding, threshold_type):
    forest = forest_of(2, [30, 0, 40], threshold_type=threshold_type)
    codes = [narrowed(tree.value[tree.is_leaf], encoding) for tree in forest.trees]
    rounded = with_codes(forest, codes)
    found = unpacked(file.pack(rounded, codes))
    for old, new in zip(numbered_by_level(rounded).trees, found.trees, strict=True):
        assert np.array_equal(old.value, new.value)
    with pytest.raises(ModelError, match="not what the given numbers stand for"):
        file.pack(forest, codes)


def test_a_trained_bundle_is_small_and_scores_the_same(teacher, splits, tmp_path):
    bundle = teacher("lightgbm")
    path, size = bundle.file(packed.PACKED), bundle.manifest.size
    assert size.packed_bytes == path.stat().st_size
    assert size.packed_bits_per_node == 8 * size.packed_bytes / size.n_nodes
    exact, found = (predict(forest, splits.test.features) for forest in (artefacts.load(bundle), packed.load(path)))
    assert np.abs(found - exact).max() < 1e-6 * np.abs(exact).max()
    assert np.array_equal(np.argsort(found, kind="stable"), np.argsort(exact, kind="stable"))


def test_too_many_levels_are_refused(forest_of, monkeypatch):
    monkeypatch.setattr("harness.trees.formats.packed.shape.MOST_LEVELS", 3)
    with pytest.raises(ModelError, match="2 is the most"):
        file.pack(forest_of(1, [40]))


@pytest.fixture(scope="module")
def content(forest_of):
    return file.pack(forest_of(9, [60, 0, 90, 30], categories="any", n_features=5))


def resealed(content: bytes) -> bytes:
    """With the digest of what is there, so that a reader has to find the damage by itself."""
    body = content[: -header.N_DIGEST_BYTES]
    return body + header.digest_of(body)


def read_or_refuse(content: bytes) -> bool:
    """Whether it was read; nothing but a ModelError may come of it, and no large allocation."""
    tracemalloc.start()
    try:
        unpacked(content)
        return True
    except ModelError:
        return False
    finally:
        assert tracemalloc.get_traced_memory()[1] < 64e6
        tracemalloc.stop()


def test_every_truncation_and_flip_is_refused(content, tmp_path):
    rng = np.random.default_rng(0)
    for cut in [*range(90), *rng.integers(90, len(content), 60)]:
        assert not read_or_refuse(content[:cut])
    for _ in range(150):
        bad = bytearray(content)
        bad[rng.integers(len(bad))] ^= 1 << int(rng.integers(8))
        assert not read_or_refuse(bytes(bad))
    assert not read_or_refuse(content + b"\0")


def test_damage_under_a_right_checksum_ends_in_an_error_or_a_forest(content):
    rng = np.random.default_rng(1)
    refused = 0
    for turn in range(150):
        bad = bytearray(content)
        place = int(rng.integers(8, 80 if turn % 2 else len(bad) - 32))
        if turn % 3:
            bad[place] ^= 1 << int(rng.integers(8))
        else:
            bad[place : place + 4] = rng.bytes(4)
        refused += not read_or_refuse(resealed(bytes(bad)))
    for cut in rng.integers(40, len(content) - 32, 20).tolist():
        refused += not read_or_refuse(resealed(content[:cut] + content[-32:]))
    assert refused > 80


@given(st.binary(max_size=200))
@EXAMPLES
def test_noise_under_a_right_checksum(content, noise):
    head = content[:66]  # up to the columns
    read_or_refuse(resealed(head + noise + bytes(32)))
    read_or_refuse(noise)


@pytest.mark.parametrize("field", ["n_features", "n_trees", "n_nodes", "n_columns"])
def test_hostile_counts_allocate_nothing(content, field):
    place = 12 + 4 * ["n_features", "n_trees", "n_nodes", "n_columns"].index(field)
    for count in (0, 1, 2**16, 2**31 - 1, 2**32 - 1):
        bad = content[:place] + count.to_bytes(4, "little") + content[place + 4 :]
        if bad != content and not (field == "n_features" and count == 2**16):
            assert not read_or_refuse(resealed(bad))


def test_errors_say_where_and_what_to_do(content, tmp_path):
    path = tmp_path / "model.packed"
    cases = {
        b"": "can't be read",
        b"PK" * 100: "is no packed model",
        content[:40]: "cut off",
        content[:-9]: "does not match its checksum",
        content[:8] + b"\x02\x00" + content[10:]: "version 2 of the packed format",
    }
    for wrong, said in cases.items():
        path.write_bytes(wrong)
        with pytest.raises(HarnessError, match=said) as caught:
            packed.load(path)
        assert caught.value.where == str(path)
        assert "again" in caught.value.remedy
    with pytest.raises(ModelError, match="can't be read"):
        packed.load(tmp_path / "none")
