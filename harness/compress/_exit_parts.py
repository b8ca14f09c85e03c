"""The files of an early exit: the bundle as it was, and its parts as bundles inside it."""

from __future__ import annotations

import shutil
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from harness.bundle import Bundle, Draft, seal
from harness.compress._exit_choice import Chosen
from harness.early_exit import DESCRIPTION, META, STANDING, Exit, classifier, part
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
    classifiers: list[Forest],
    notes: list[str],
) -> Draft:
    """The whole bundle with its parts and classifiers beside it; trees, nodes and packed bytes are those of all these.

    `base_score` is taken off all parts but the first when scores are added, because not every library's file can do
    without it.
    """
    exits = Exit(
        rule=rule,
        sentinels=chosen.sentinels,
        k=chosen.k,
        cuts=chosen.cuts,
        base_score=forest.base_score,
        mean_trees=chosen.mean_trees,
    )
    draft = whole(work, {META: exits.model_dump(mode="json")} | ({"notes": notes} if notes else {}))
    ends = (0, *chosen.sentinels, len(forest.trees))
    parts = [
        _part(work, part(index), forest.with_trees(forest.trees[begin:end]))
        for index, (begin, end) in enumerate(pairwise(ends))
    ]
    parts += [_classifier(work, classifier(index), own) for index, own in enumerate(classifiers)]
    (work.out / DESCRIPTION).write_text(exits.model_dump_json(), encoding="ascii")
    sizes = [own.manifest.size for own in parts]
    counts = ("n_trees", "n_nodes", "n_leaves", "n_parameters", "packed_bytes")
    size = ModelSize(**{name: sum(getattr(own, name) for own in sizes) for name in counts})
    size = size.model_copy(update={"packed_bits_per_node": 8 * size.packed_bytes / size.n_nodes})
    return Draft("trees", draft.n_features, draft.feature_names, size, draft.meta)


def _classifier(work: Compression, name: str, forest: Forest) -> Bundle:
    out, names = work.out / name, (*work.bundle.manifest.feature_names, *STANDING)
    out.mkdir()
    return seal(out, artefacts.save(forest, out, names, lightgbm_objective="regression"), origin={})


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
