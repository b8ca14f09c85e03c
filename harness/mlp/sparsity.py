"""Gradual magnitude pruning: weights of hidden layers become 0, few at a time while the network is trained."""

from __future__ import annotations

from typing import Literal

import torch

from harness.mlp.model import Layer
from harness.mlp.train import AfterStep
from harness.mlp.trainee import Trainee

Layers = Literal["first", "hidden"]

_PRUNINGS = 60


def gradual(network: Trainee, sparsity: float, layers: Layers) -> AfterStep:
    """Sets the smallest weights of each layer to 0, more and more of them, up to the share `sparsity`.

    The share after t of n steps is s - s (1 - t / n)^3 (Zhu and Gupta, "To prune, or not to prune", 2017), in 60
    prunings; a weight that was set to 0 may come back until the last of them.
    """

    def after_step(n_done: int, n_steps: int) -> None:
        if n_done % max(1, n_steps // _PRUNINGS) and n_done != n_steps:
            return
        share = sparsity * (1 - (1 - n_done / n_steps) ** 3)
        for place in _places(len(network.linear) - 1, layers):
            weight = network.weight(place).detach()
            n_zero = round(share * weight.numel())
            mask = torch.ones(weight.numel(), dtype=torch.bool)
            mask[weight.abs().flatten().argsort(stable=True)[:n_zero]] = False
            network.masks[place] = mask.view_as(weight)

    return after_step


def zeros(layers: tuple[Layer, ...], pruned: Layers) -> float:
    """Share of zeros among the weights of the pruned layers."""
    own = [layers[place].weight for place in _places(len(layers) - 1, pruned)]
    return float(sum((weight == 0).sum() for weight in own) / sum(weight.size for weight in own))


def _places(n_hidden: int, layers: Layers) -> range:
    return range(1) if layers == "first" else range(n_hidden)
