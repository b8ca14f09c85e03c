"""Losses over padded query groups: scores, targets and the mask of real rows are (n_groups, longest)."""

from __future__ import annotations

from collections.abc import Callable

import torch

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""(scores, targets, mask) -> a scalar, the mean over query groups. Scores and targets of padding are 0."""


def listwise(scores: torch.Tensor, gains: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Cross entropy between the shares of the gains and the softmax of the scores (ListNet, Cao et al., ICML 2007).

    A query group without a gain adds nothing.
    """
    share = gains / gains.sum(1, keepdim=True).clamp_min(1e-9)
    log_softmax = scores.masked_fill(~mask, -torch.inf).log_softmax(1)
    return -(share * log_softmax.masked_fill(~mask, 0.0)).sum(1).mean()


def lambda_rank(depth: int) -> Loss:
    """LambdaRank (Burges, MSR-TR-2010-82): pairwise logistic loss weighted by the NDCG that a swap would change.

    Only pairs with one of the `depth` highest scores count, which bounds the work by depth * longest per group.
    """

    def loss(scores: torch.Tensor, gains: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        order = scores.detach().masked_fill(~mask, -torch.inf).argsort(stable=True, dim=1, descending=True)
        scores, gains, mask = (tensor.gather(1, order) for tensor in (scores, gains, mask))
        discount = 1 / torch.arange(2, scores.shape[1] + 2, dtype=scores.dtype).log2()
        top = min(depth, scores.shape[1])
        ideal = (gains.sort(1, descending=True).values * discount)[:, :top].sum(1).clamp_min(1e-9)
        gain_gap = gains[:, :top, None] - gains[:, None, :]
        swap = gain_gap.abs() * (discount[:top, None] - discount).abs() / ideal[:, None, None]
        below = torch.ones(top, scores.shape[1], dtype=torch.bool).triu(1)
        weight = swap * (below & mask[:, None, :])
        score_gap = scores[:, :top, None] - scores[:, None, :]
        pairs = weight * torch.nn.functional.softplus(-gain_gap.sign() * score_gap)
        return pairs.sum((1, 2)).mean()

    return loss


def centred_squares(scores: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean squared difference after each query group's mean difference is taken off: ranking does not depend on it."""
    n_rows = mask.sum(1, keepdim=True)
    difference = scores - targets
    centred = (difference - difference.sum(1, keepdim=True) / n_rows) * mask
    return centred.square().sum() / mask.sum()


def listwise_divergence(temperature: float) -> Loss:
    """Kullback-Leibler divergence of the scores' softmax from the targets' softmax, within each query group.

    ListNet's top-one probabilities (Cao et al., ICML 2007) as soft targets (Hinton et al., 2015): a low temperature
    looks at the head of the list alone.
    """

    def loss(scores: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        wanted, found = (
            (values / temperature).masked_fill(~mask, -torch.inf).log_softmax(1).masked_fill(~mask, 0.0)
            for values in (targets, scores)
        )
        share = wanted.exp().masked_fill(~mask, 0.0)
        return (share * (wanted - found)).sum(1).mean()

    return loss


def margin_squares(depth: int) -> Loss:
    """Squared difference between the margins of pairs (margin-MSE, Hofstätter et al., arXiv:2010.02666).

    Pairs of one of the `depth` highest targets with each row below it: over all pairs it would be `centred_squares`.
    """

    def loss(scores: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        order = targets.masked_fill(~mask, -torch.inf).argsort(stable=True, dim=1, descending=True)
        difference, here = ((scores - targets).gather(1, order), mask.gather(1, order))
        top = min(depth, scores.shape[1])
        pairs = torch.ones(top, scores.shape[1], dtype=torch.bool).triu(1) & here[:, None, :]
        margins = (difference[:, :top, None] - difference[:, None, :]) * pairs
        return margins.square().sum() / pairs.sum().clamp_min(1)

    return loss
