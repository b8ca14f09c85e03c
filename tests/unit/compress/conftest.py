"""A method applied to a bundle: the draft it returns and the forest that it wrote, or the bundle it makes."""

from __future__ import annotations

import pytest

from harness.bundle import seal
from harness.protocols import Compression
from harness.records import NdcgSpec
from harness.trees.formats.treelite_model import from_treelite


@pytest.fixture
def applied_to_trees(splits, tmp_path):
    """`applied_to_trees(method, bundle, **options)` -> (draft, forest)."""

    def build(method, bundle, **options):
        import treelite

        work = Compression(bundle, bundle, splits, tmp_path, 1, NdcgSpec(), lambda _: None)
        draft = method.apply(method.Options(**options), work)
        return draft, from_treelite(treelite.Model.deserialize(tmp_path / "model.treelite"))

    return build


@pytest.fixture
def stepped(splits, tmp_path):
    """`stepped(method, bundle, teacher=bundle, data=splits, **options)` -> the bundle that the step makes."""
    made = iter(range(100))

    def build(method, bundle, teacher=None, data=splits, **options):
        out = tmp_path / f"step-{next(made)}"
        out.mkdir()
        work = Compression(bundle, teacher or bundle, data, out, 1, NdcgSpec(), lambda _: None)
        return seal(out, method.apply(method.Options(**options), work), origin={})

    return build
