"""How far an engine's scores are from the reference's, and whether they rank alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.protocols import Scorer
from harness.ranking_data import Features

TOP = 10


@dataclass(frozen=True)
class Agreement:
    """Of one engine with the reference, over some candidate lists.

    difference: largest of a score, as a share of the largest score; same_order_share: of lists that both sort alike;
    top10_share: of the reference's first ten candidates, how many are among the engine's, on average.
    """

    difference: float
    same_order_share: float
    top10_share: float


def agreement(scorer: Scorer, reference: Scorer, lists: Iterable[Features]) -> Agreement:
    """Score every list with both. A score that is not finite where the reference's is differs infinitely."""
    worst = largest = 0.0
    same, top = [], []
    for x in lists:
        ours, theirs = scorer.score(x).astype(np.float64), reference.score(x).astype(np.float64)
        with np.errstate(invalid="ignore"):
            gap = np.where(ours == theirs, 0.0, np.abs(ours - theirs))
        worst = max(worst, float(np.nan_to_num(gap, nan=np.inf).max(initial=0.0)))
        largest = max(largest, float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0)))
        order, wanted = np.argsort(-ours, kind="stable"), np.argsort(-theirs, kind="stable")
        same.append(np.array_equal(order, wanted))
        top.append(np.isin(wanted[:TOP], order[:TOP]).mean())
    share = worst / largest if largest else worst and np.inf
    return Agreement(float(share), float(np.mean(same)), float(np.mean(top)))
