"""Training a LightGBM ensemble into a Forest: shared by the ranker and by distillation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import lightgbm
import treelite
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.events import Count, Progress
from harness.ranking_data import Floats, RankingData
from harness.trees.forest import Forest
from harness.trees.formats.treelite_model import from_treelite
from harness.trees.gbdt_options import GbdtOptions

MAX_GRADE = 30
_PROGRESS_EVERY = 50


def fit(
    objective: Literal["lambdarank", "regression"],
    data: RankingData,
    targets: NDArray[Any],
    options: GbdtOptions,
    *,
    n_threads: int,
    progress: Progress,
    weights: NDArray[Any] | None = None,
    valid: RankingData | None = None,
    ndcg_k: int = 10,
    early_stopping_rounds: int = 0,
    start: Floats | None = None,
) -> Forest:
    """Train on `targets` (n_rows,) of `data`: grades for lambdarank, any numbers for regression; each row counts as
    much as its weight, where there are `weights` (n_rows,).

    With `start` (n_rows,) boosting begins at these scores, and the forest holds what comes on top of them.
    With `early_stopping_rounds` > 0 and a `valid` split the forest ends at its best NDCG@`ndcg_k`.
    Equal seeds give equal forests, whatever the number of threads. ModelError carries LightGBM's own words.
    """
    params = {
        "objective": objective,
        "num_leaves": options.n_leaves,
        "learning_rate": options.learning_rate,
        "min_data_in_leaf": options.min_rows_per_leaf,
        "max_bin": options.max_bin,
        "feature_fraction": options.feature_share,
        "seed": options.seed,
        "num_threads": n_threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "metric": "ndcg" if early_stopping_rounds else "none",
        "eval_at": [ndcg_k],
    }
    callbacks: list[Any] = [_reporter(options.n_trees, progress)]
    if early_stopping_rounds:
        callbacks.append(lightgbm.early_stopping(early_stopping_rounds, verbose=False))
    try:
        train_set = lightgbm.Dataset(
            data.features, targets, weight=weights, group=data.group_sizes, init_score=start, params=params
        )
        valid_sets = [_valid_set(train_set, valid)] if valid is not None and early_stopping_rounds else []
        booster = lightgbm.train(params, train_set, options.n_trees, valid_sets=valid_sets, callbacks=callbacks)
    except lightgbm.basic.LightGBMError as error:
        raise ModelError(
            f"LightGBM: {error}",
            where=f"training on split {data.name!r}",
            remedy="check the shape of the ensemble (`harness explain lightgbm`) and the grades of the data",
        ) from error
    forest = from_treelite(treelite.frontend.from_lightgbm(booster), where="LightGBM's own model")
    return forest.first(booster.best_iteration) if early_stopping_rounds and booster.best_iteration else forest


def _valid_set(train_set: lightgbm.Dataset, valid: RankingData) -> lightgbm.Dataset:
    return lightgbm.Dataset(valid.features, valid.grades, group=valid.group_sizes, reference=train_set)


def _reporter(n_trees: int, progress: Progress) -> Callable[[Any], None]:
    def report(env: Any) -> None:
        done = env.iteration + 1
        if done % _PROGRESS_EVERY == 0 or done == n_trees:
            progress(Count("lightgbm: trees", done, n_trees))

    return report
