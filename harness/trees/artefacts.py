"""Tree bundles on disk: `model.treelite` and `model.packed` always, and the file of the library it is from, which can
read it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.bundle import CANONICAL, Bundle, Draft
from harness.errors import ModelError
from harness.records import ModelSize
from harness.trees.forest import Forest, categories_of, features_read
from harness.trees.formats import packed
from harness.trees.formats.lightgbm_text import objective_of, to_text
from harness.trees.formats.packed.leaves import Narrowed
from harness.trees.formats.treelite_model import from_treelite, to_treelite
from harness.trees.formats.xgboost_json import to_json

LIGHTGBM_TEXT = "model.txt"
XGBOOST_JSON = "model.json"
CATEGORICAL = "categorical_features"
"""Key of a manifest's meta: the features that some split takes by category."""
READ_FEATURES = "read_features"
"""Key of a manifest's meta: names of the features that some split reads; a service need not fetch the others."""


def save(
    forest: Forest,
    out: Path,
    feature_names: tuple[str, ...],
    *,
    lightgbm_objective: str | None = None,
    codes: Sequence[Narrowed] = (),
    meta: dict[str, Any] | None = None,
) -> Draft:
    """Write a forest into `out` and describe it.

    With `lightgbm_objective` the bundle also gets a LightGBM text of that objective. `codes`, one per tree, are its
    leaves where the packed file is to store them narrow.
    """
    to_treelite(forest).serialize(str(out / CANONICAL["trees"]))
    if lightgbm_objective is not None:
        text = to_text(forest, objective=lightgbm_objective)
        (out / LIGHTGBM_TEXT).write_text(text, encoding="ascii")
    return packed_draft(forest, out, feature_names, codes=codes, meta=meta)


def packed_draft(
    forest: Forest,
    out: Path,
    feature_names: tuple[str, ...],
    *,
    codes: Sequence[Narrowed] = (),
    meta: dict[str, Any] | None = None,
) -> Draft:
    """Write the packed file beside a checkpoint that is there already, and describe the bundle."""
    n_bytes = packed.save(forest, out / packed.PACKED, codes)
    size = ModelSize(
        n_trees=len(forest.trees),
        n_nodes=forest.n_nodes,
        n_leaves=forest.n_leaves,
        n_parameters=forest.n_nodes,
        packed_bytes=n_bytes,
        packed_bits_per_node=8 * n_bytes / forest.n_nodes,
    )
    described = {key: value for key, value in (meta or {}).items() if key not in (CATEGORICAL, READ_FEATURES)}
    described[READ_FEATURES] = [feature_names[feature] for feature in features_read(forest).tolist()]
    if categorical := list(categories_of(forest.trees)):
        described[CATEGORICAL] = categorical
    return Draft("trees", forest.n_features, feature_names, size, described)


def save_like(
    forest: Forest,
    out: Path,
    bundle: Bundle,
    *,
    codes: Sequence[Narrowed] = (),
    meta: dict[str, Any] | None = None,
) -> Draft:
    """Write a changed forest of `bundle`, with a file of the library whose own file the bundle has."""
    objective = None
    if bundle.manifest.source == "xgboost":
        frame = bundle.file(XGBOOST_JSON).read_text(encoding="utf-8")
        (out / XGBOOST_JSON).write_text(to_json(forest, frame), encoding="utf-8")
    if bundle.manifest.source == "lightgbm":
        objective = objective_of(bundle.file(LIGHTGBM_TEXT).read_text(encoding="utf-8"))
    names = bundle.manifest.feature_names
    return save(forest, out, names, lightgbm_objective=objective, codes=codes, meta=meta)


def load(bundle: Bundle) -> Forest:
    """The forest of a tree bundle; ModelError for any other format."""
    import treelite

    if bundle.manifest.format != "trees":
        raise ModelError(f"a bundle of format {bundle.manifest.format} has no trees", where=str(bundle.path))
    try:
        model = treelite.Model.deserialize(str(bundle.artefact))
    except treelite.TreeliteError as error:
        raise ModelError(
            f"Treelite {treelite.__version__} can't read it: {error}",
            where=str(bundle.artefact),
            remedy="build the bundle again with this version",
        ) from error
    return from_treelite(model, where=str(bundle.path))
