"""Tree models of other origin: read in a child process, checked against the data and against their own library."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from harness.bundle import CANONICAL, Draft
from harness.errors import ModelError
from harness.protocols import Training
from harness.ranking_data import Features, Floats

if TYPE_CHECKING:
    from harness.trees.forest import Forest

_CHECK_ROWS = 512
_TOLERANCE = 1e-4


def import_trees(path: Path, kind: str, work: Training) -> Draft:
    """Bundle a LightGBM, XGBoost or Treelite file; the library's own file is kept beside the Treelite checkpoint."""
    import treelite

    from harness.trees.artefacts import packed_draft
    from harness.trees.formats.foreign import TreeFormat, import_checkpoint
    from harness.trees.formats.treelite_model import from_treelite

    data = work.splits.train
    checkpoint = work.out / CANONICAL["trees"]
    import_checkpoint(path, cast(TreeFormat, kind), checkpoint)
    forest = from_treelite(treelite.Model.deserialize(checkpoint), where=str(path))
    check_width(forest.n_features, data.n_features, path)
    keep = {"lightgbm": _keep_lightgbm, "xgboost": _keep_xgboost}.get(kind)
    if keep is not None:
        keep(path, work, forest)
    return packed_draft(forest, work.out, data.feature_names)


def check_width(n_features: int, wanted: int, path: Path) -> None:
    """ModelError where the model takes another number of features than the data has."""
    if n_features != wanted:
        raise ModelError(
            f"takes {n_features} features, the data has {wanted}",
            where=str(path),
            remedy="give the data the feature columns the model was trained on, in the same order",
        )


def _keep_lightgbm(path: Path, work: Training, forest: Forest) -> None:
    import lightgbm

    from harness.trees.artefacts import LIGHTGBM_TEXT

    booster = lightgbm.Booster(model_file=str(path))
    _check_order(booster.feature_name(), work, path)
    if forest.average:
        return  # LightGBM's raw score is the sum of a random forest, not its mean: it is served from the checkpoint
    x = _check_rows(work)
    _check_scores(np.asarray(booster.predict(x, raw_score=True, num_threads=1)), x, forest, path)
    shutil.copyfile(path, work.out / LIGHTGBM_TEXT)


def _keep_xgboost(path: Path, work: Training, forest: Forest) -> None:
    import xgboost

    from harness.trees.artefacts import XGBOOST_JSON

    booster = xgboost.Booster()
    try:
        booster.load_model(path)
    except xgboost.core.XGBoostError as error:
        raise ModelError(
            f"XGBoost can't read it: {str(error).splitlines()[0]}", where=str(path), remedy="save it with XGBoost again"
        ) from error
    _check_order(booster.feature_names or [], work, path)
    x = _check_rows(work)
    booster.feature_names = None
    margin = booster.predict(xgboost.DMatrix(x, nthread=1), output_margin=True)
    _check_scores(margin.astype(np.float64), x, forest, path)
    booster.save_model(work.out / XGBOOST_JSON)


def _check_rows(work: Training) -> Features:
    return np.ascontiguousarray(work.splits.valid.features[:_CHECK_ROWS])


def _check_scores(native: Floats, x: Features, forest: Forest, path: Path) -> None:
    """ModelError where the library's own scores are not those of the trees that were read."""
    from harness.trees.traverse import predict

    gap: Any = np.abs(native - predict(forest, x)).max()
    if not gap <= _TOLERANCE * max(1.0, float(np.abs(native).max())):
        raise ModelError(
            f"its own library scores differently from its trees, by up to {gap:.3g}",
            where=str(path),
            remedy="the model uses something that plain trees can't express; export it without",
        )


def _check_order(names: Sequence[str], work: Training, path: Path) -> None:
    """ModelError where the model knows the data's feature names, but in another order."""
    wanted = work.splits.train.feature_names
    if tuple(names) != wanted and sorted(names) == sorted(wanted):
        first = next(i for i, (a, b) in enumerate(zip(names, wanted, strict=True)) if a != b)
        raise ModelError(
            f"has the data's features in another order: column {first} is {names[first]!r}, not {wanted[first]!r}",
            where=str(path),
            remedy="give the data its feature columns in the model's order",
        )
