"""The files of an early exit: the bundle as it was, and its parts as bundles inside it."""

from __future__ import annotations

import shutil
from typing import Any, Literal

import numpy as np

from harness.bundle import Bundle, Draft, seal
from harness.compress._exit_choice import Chosen
from harness.early_exit import CLASSIFIER, DESCRIPTION, META, PREFIX, STANDING, SUFFIX, Exit
from harness.protocols import Compression
from harness.records import ModelSize
from harness.trees import artefacts
from harness.trees.forest import Forest
from harness.trees.formats.packed.leaves import Narrowed, narrowed


def whole(work: Compression, meta: dict[str, Any]) -> Draft:
    """The bundle's own files, byte for byte."""
    manifest = work.bundle.manifest
    for name in manifest.files:
        shutil.copyfile(work.bundle.file(name), work.out / name)
    return Draft("trees", manifest.n_features, manifest.feature_names, manifest.size, {**manifest.meta, **meta})


def with_exit(
    work: Compression,
    forest: Forest,
    rule: Literal["proximity", "classifier"],
    chosen: Chosen,
    classifier: Forest | None,
) -> Draft:
    """The whole bundle with prefix, suffix and classifier beside it; its size is that of the parts together.

    `base_score` is taken off the suffix when scores are added, because not every library's file can do without it.
    """
    sentinel = chosen.way.sentinel
    exits = Exit(
        rule=rule,
        sentinel=sentinel,
        k=chosen.way.k,
        cut=chosen.cut,
        base_score=forest.base_score,
        mean_trees=chosen.mean_trees,
    )
    draft = whole(work, {META: exits.model_dump(mode="json")})
    parts = [
        _part(work, PREFIX, forest.with_trees(forest.trees[:sentinel])),
        _part(work, SUFFIX, forest.with_trees(forest.trees[sentinel:])),
    ]
    if classifier is not None:
        out, names = work.out / CLASSIFIER, (*draft.feature_names, *STANDING)
        out.mkdir()
        parts.append(seal(out, artefacts.save(classifier, out, names, lightgbm_objective="regression"), origin={}))
    (work.out / DESCRIPTION).write_text(exits.model_dump_json(), encoding="ascii")
    sizes = [part.manifest.size for part in parts]
    counts = ("n_trees", "n_nodes", "n_leaves", "n_parameters", "packed_bytes")
    size = ModelSize(**{name: sum(getattr(own, name) for own in sizes) for name in counts})
    size = size.model_copy(update={"packed_bits_per_node": 8 * size.packed_bytes / size.n_nodes})
    return Draft("trees", draft.n_features, draft.feature_names, size, draft.meta)


def _part(work: Compression, name: str, forest: Forest) -> Bundle:
    out, meta = work.out / name, work.bundle.manifest.meta
    out.mkdir(parents=True)
    kept = {"quantise": meta["quantise"]} if "quantise" in meta else {}
    codes = _codes(forest, kept.get("quantise", {}).get("leaves", "none"))
    return seal(out, artefacts.save_like(forest, out, work.bundle, codes=codes, meta=kept), origin={})


def _codes(forest: Forest, leaves: Any) -> list[Narrowed]:
    """Narrow leaves as they were, none where rounding them anew would give others."""
    if leaves == "none":
        return []
    values = [tree.value[tree.is_leaf] for tree in forest.trees]
    codes = [narrowed(own, leaves) for own in values]
    same = all(np.array_equal(code.values, own) for code, own in zip(codes, values, strict=True))
    return codes if same else []
