"""LambdaMART by LightGBM (objective lambdarank).

Gradient-boosted trees whose gradients are pairs of candidates weighted by what swapping them changes in NDCG (Burges,
"From RankNet to LambdaRank to LambdaMART", 2010; Ke et al., "LightGBM", NIPS 2017); gains are 2^grade - 1. The ranker
to begin with on features of mixed kinds: it takes missing values as they are and trains in seconds to minutes. With
`early_stopping_rounds` the NDCG of the valid split says how many trees are enough.
"""

from __future__ import annotations

from pydantic import Field

from harness.bundle import Draft
from harness.protocols import Training
from harness.trees.gbdt_options import GbdtOptions


class Options(GbdtOptions):
    """Shape of the ensemble, and when to stop."""

    early_stopping_rounds: int = Field(
        default=0, ge=0, description="stop after so many rounds without a better NDCG on valid; 0 trains all trees"
    )


def train(options: Options, work: Training) -> Draft:
    """Train on the grades of `train`; gains are 2^grade - 1."""
    from harness.trees.artefacts import save
    from harness.trees.grades import check_grades
    from harness.trees.lightgbm_fit import MAX_GRADE, fit

    data, valid = work.splits.train, work.splits.valid
    for split in (data, valid):
        check_grades(split, MAX_GRADE)
    forest = fit(
        "lambdarank",
        data,
        data.grades,
        options,
        n_threads=work.n_threads,
        progress=work.progress,
        valid=valid,
        ndcg_k=work.ndcg.k,
        early_stopping_rounds=options.early_stopping_rounds,
    )
    return save(forest, work.out, data.feature_names, lightgbm_objective="lambdarank")
