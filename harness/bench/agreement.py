"""How far an engine's scores are from the reference's, and whether they rank alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.protocols import Scorer
from harness.ranking_data import Features, Floats
from harness.scoring import rightful_scores

TOP = 10


@dataclass(frozen=True)
class Agreement:
    """Of one engine with the reference, over some candidate lists.

    difference: largest of a score, as a share of the largest score; same_order_share: of lists that both sort alike;
    kendall_tau: rank correlation of both orders (Kendall 1945's tau-b, which allows for ties: 1 the same, 0 unrelated,
    -1 reversed), the mean over lists; NaN where no list has two scores that differ;
    top10_share: of the reference's first ten candidates, how many are among the engine's, on average.
    """

    difference: float
    same_order_share: float
    kendall_tau: float
    top10_share: float


def agreement(scorer: Scorer, reference: Scorer, lists: Iterable[Features]) -> Agreement:
    """Score every list with both. A score that is not finite where the reference's is differs infinitely."""
    from scipy.stats import kendalltau

    worst = largest = 0.0
    same, tau, top = [], [], []
    for x in lists:
        ours = scorer.score(x).astype(np.float64)
        rightful = [own.astype(np.float64) for own in rightful_scores(reference, x)]
        gap, place = min((_gap(ours, own), place) for place, own in enumerate(rightful))
        theirs, worst = rightful[place], max(worst, gap)
        largest = max(largest, float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0)))
        order, wanted = np.argsort(-ours, kind="stable"), np.argsort(-theirs, kind="stable")
        same.append(np.array_equal(order, wanted))
        if x.shape[0] > 1:
            tau.append(float(kendalltau(ours, theirs).statistic))
        top.append(np.isin(wanted[:TOP], order[:TOP]).mean())
    share = worst / largest if largest else worst and np.inf
    ranked = [value for value in tau if not math.isnan(value)]
    mean_tau = math.fsum(ranked) / len(ranked) if ranked else math.nan
    return Agreement(float(share), float(np.mean(same)), mean_tau, float(np.mean(top)))


def _gap(ours: Floats, theirs: Floats) -> float:
    with np.errstate(invalid="ignore"):
        gap = np.where(ours == theirs, 0.0, np.abs(ours - theirs))
    return float(np.nan_to_num(gap, nan=np.inf).max(initial=0.0))
