"""A feed-forward ranking network (torch), trained with a listwise softmax or LambdaRank loss.

Features are transformed by sign(x) * log1p(|x|), standardised, and joined by indicators of missing values; training
stops on the NDCG of the valid split. `listwise` is ListNet's cross entropy (Cao et al., ICML 2007), `lambda` weighs
pairs by what swapping them changes in NDCG (Burges, MSR-TR-2010-82). On tabular features trees mostly rank better; take
it where your service runs a network already, or to try the methods for networks.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.bundle import Draft
from harness.mlp.options import NetworkOptions
from harness.protocols import Training


class Options(NetworkOptions):
    """Keys of `ranker` with `kind: mlp`."""

    dropout: float = Field(default=0.2, ge=0, lt=1, description="share of hidden activations dropped in training")
    loss: Literal["listwise", "lambda"] = Field(
        default="listwise", description="listwise: softmax cross entropy on the gains; lambda: LambdaRank"
    )


def train(options: Options, work: Training) -> Draft:
    """Write `model.npz`. Raises ModelError where training diverges."""
    from harness.mlp.artefacts import save
    from harness.mlp.examples import Examples
    from harness.mlp.losses import lambda_rank, listwise
    from harness.mlp.objective import Lesson, Objective
    from harness.mlp.train import fit
    from harness.mlp.transform import fit_transform

    data = work.splits.train
    loss = listwise if options.loss == "listwise" else lambda_rank(depth=work.ndcg.k + 10)
    lesson = Lesson(
        fit_transform(data.features),
        Examples.of_grades(data),
        Objective(loss),
        work.splits.valid,
        work.ndcg,
        work.progress,
    )
    fitted = fit(options, lesson, n_threads=work.n_threads)
    return save(fitted.model, work.out, data.feature_names, meta={"loss": options.loss, **fitted.facts})
