"""LambdaMART by XGBoost (objective rank:ndcg, histogram trees).

The same idea as `lightgbm` (Burges, "From RankNet to LambdaRank to LambdaMART", 2010; Chen and Guestrin, "XGBoost", KDD
2016), grown level by level to `max_depth`, so trees are shallower and balanced; gains are 2^grade - 1. Choose it where
your service has XGBoost. After pruning, its trees are served from a Treelite checkpoint, by any engine of trees.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.bundle import Draft
from harness.errors import ModelError
from harness.protocols import PluginOptions, Training

_MAX_GRADE = 31


class Options(PluginOptions):
    """Shape of the ensemble, how pairs are drawn, and when to stop."""

    n_trees: int = Field(default=300, ge=1, le=20_000, description="trees, one per boosting round")
    max_depth: int = Field(default=6, ge=1, le=16, description="most splits on a path")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="shrinkage of each tree")
    min_child_weight: float = Field(default=1.0, ge=0, description="least sum of second derivatives in a leaf")
    max_bin: int = Field(default=256, ge=3, le=65_535, description="histogram bins per feature")
    feature_share: float = Field(default=1.0, gt=0, le=1, description="share of features drawn for each tree")
    pair_method: Literal["topk", "mean"] = Field(
        default="topk", description="pairs with the current top candidates, or drawn for every candidate"
    )
    pairs_per_candidate: int = Field(
        default=32, ge=1, le=10_000, description="top candidates paired (topk), or pairs drawn per candidate (mean)"
    )
    early_stopping_rounds: int = Field(
        default=0, ge=0, description="stop after so many rounds without a better NDCG on valid; 0 trains all trees"
    )
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="seed of all random choices")


def train(options: Options, work: Training) -> Draft:
    """Train on the grades of `train`; gains are 2^grade - 1."""
    from harness.trees.artefacts import XGBOOST_JSON, save
    from harness.trees.grades import check_grades

    for split in (work.splits.train, work.splits.valid):
        check_grades(split, _MAX_GRADE)
    booster = _fit(options, work)
    booster.save_model(work.out / XGBOOST_JSON)
    return save(_forest(booster), work.out, work.splits.train.feature_names)


def _fit(options: Options, work: Training) -> Any:
    import xgboost

    params = {
        "objective": "rank:ndcg",
        "tree_method": "hist",
        "base_score": 0.0,
        "max_depth": options.max_depth,
        "learning_rate": options.learning_rate,
        "min_child_weight": options.min_child_weight,
        "max_bin": options.max_bin,
        "colsample_bytree": options.feature_share,
        "lambdarank_pair_method": options.pair_method,
        "lambdarank_num_pair_per_sample": options.pairs_per_candidate,
        "eval_metric": f"ndcg@{work.ndcg.k}",
        "nthread": work.n_threads,
        "seed": options.seed,
        "verbosity": 0,
    }

    def matrix(split: Any) -> Any:
        x = xgboost.DMatrix(split.features, label=split.grades, nthread=work.n_threads)
        x.set_info(group=split.group_sizes)
        return x

    stopping = options.early_stopping_rounds or None
    work.progress(f"xgboost: {options.n_trees} trees of depth {options.max_depth}")
    try:
        booster = xgboost.train(
            params,
            matrix(work.splits.train),
            options.n_trees,
            evals=[(matrix(work.splits.valid), "valid")] if stopping else [],
            early_stopping_rounds=stopping,
            verbose_eval=False,
        )
    except xgboost.core.XGBoostError as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(
            f"XGBoost: {reason}",
            where="training on split 'train'",
            remedy="check the keys of ranker (`harness explain xgboost`) and the grades of the data",
        ) from error
    return booster[: booster.best_iteration + 1] if stopping else booster


def _forest(booster: Any) -> Any:
    import treelite

    from harness.trees.formats.treelite_model import from_treelite

    return from_treelite(treelite.frontend.from_xgboost(booster), where="XGBoost's own model")
