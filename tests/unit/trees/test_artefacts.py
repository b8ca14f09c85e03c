"""Tree bundles on disk."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from harness.bundle import seal
from harness.errors import ModelError
from harness.trees import artefacts
from harness.trees.formats.packed.leaves import narrowed, with_codes
from harness.trees.traverse import predict


@pytest.fixture
def sealed(forest_of, tmp_path):
    made = iter(range(10))

    def build(draft_of):
        out = tmp_path / f"bundle-{next(made)}"
        out.mkdir()
        return seal(out, draft_of(out), origin={})

    return build


NAMES = ("a", "b", "c", "d")


def test_saved_and_loaded(forest_of, awkward_rows, sealed):
    forest = forest_of(1, [5, 3])
    bundle = sealed(lambda out: artefacts.save(forest, out, NAMES))
    x = awkward_rows(1, 50)
    assert np.array_equal(predict(artefacts.load(bundle), x), predict(forest, x))
    assert bundle.manifest.source == ""
    assert bundle.manifest.size.n_nodes == 18


def test_save_like_writes_a_lightgbm_text_where_the_bundle_has_one(forest_of, awkward_rows, sealed):
    forest = forest_of(2, [5, 3])
    origin = sealed(lambda out: artefacts.save(forest, out, NAMES, lightgbm_objective="binary sigmoid:2"))
    bundle = sealed(lambda out: artefacts.save_like(forest.first(1), out, origin))
    booster = lightgbm.Booster(model_file=str(bundle.file("model.txt")))
    x = awkward_rows(2, 50)
    assert np.array_equal(booster.predict(x, raw_score=True, num_threads=1), predict(forest.first(1), x))
    assert "objective=binary sigmoid:2" in bundle.file("model.txt").read_text()
    plain = sealed(lambda out: artefacts.save(forest, out, NAMES))
    assert sealed(lambda out: artefacts.save_like(forest, out, plain)).manifest.source == ""


def test_narrow_leaves_are_stored_narrow(forest_of, sealed):
    forest = forest_of(3, [50, 30])
    codes = [narrowed(tree.value[tree.is_leaf], "int8") for tree in forest.trees]
    wide = sealed(lambda out: artefacts.save(forest, out, NAMES))
    narrow = sealed(lambda out: artefacts.save(with_codes(forest, codes), out, NAMES, codes=codes))
    for bundle in (wide, narrow):
        size = bundle.manifest.size
        assert size.packed_bytes == bundle.file("model.packed").stat().st_size
        assert size.packed_bits_per_node == 8 * size.packed_bytes / 162
    assert narrow.manifest.size.packed_bytes < 0.8 * wide.manifest.size.packed_bytes


def test_a_checkpoint_of_something_else(forest_of, sealed):
    bundle = sealed(lambda out: artefacts.save(forest_of(4, [2]), out, NAMES))
    bundle.artefact.write_bytes(b"not a checkpoint" * 10)
    with pytest.raises(ModelError, match="can't read it") as caught:
        artefacts.load(bundle)
    assert str(bundle.artefact) in caught.value.where


def test_a_network_has_no_trees(forest_of, sealed):
    bundle = sealed(lambda out: artefacts.save(forest_of(5, [2]), out, NAMES))
    network = type(bundle)(bundle.path, bundle.manifest.model_copy(update={"format": "mlp"}))
    with pytest.raises(ModelError, match="mlp has no trees"):
        artefacts.load(network)
