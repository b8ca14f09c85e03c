"""What training minimises, and what it is taught with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from harness.mlp.examples import Batch, Examples
from harness.mlp.losses import Loss, listwise
from harness.mlp.transform import InputTransform
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import NdcgSpec


@dataclass(frozen=True)
class Objective:
    """What is minimised: `loss` on the targets, in part the listwise loss on the gains, and squares of the hints.

    Hints are regressed on hidden layer `hint_layer` through a linear map that is trained beside the network and dropped
    afterwards (FitNets, Romero et al., ICLR 2015, with both of its stages at once).
    """

    loss: Loss
    label_weight: float = 0.0
    hint_weight: float = 0.0
    hint_layer: int = -1

    def value(
        self, scores: torch.Tensor, hidden: list[torch.Tensor], examples: Examples, batch: Batch, guess: nn.Module
    ) -> torch.Tensor:
        """The scalar for one batch: scores (n_rows,), hidden (n_rows, width) each; `guess` is the linear map."""
        padded = batch.padded(scores)
        value = self.loss(padded, batch.padded(torch.from_numpy(examples.targets[batch.rows])), batch.mask)
        if examples.gains is not None:
            gains = batch.padded(torch.from_numpy(examples.gains[batch.rows]))
            value = (1 - self.label_weight) * value + self.label_weight * listwise(padded, gains, batch.mask)
        if examples.hints is not None:
            hints = torch.from_numpy(examples.hints[batch.rows])
            value = value + self.hint_weight * (guess(hidden[self.hint_layer]) - hints).square().mean()
        return value


@dataclass(frozen=True)
class Lesson:
    """All that a network is trained with, whichever network it is; `valid` under `spec` says when to stop."""

    transform: InputTransform
    examples: Examples
    objective: Objective
    valid: RankingData
    spec: NdcgSpec
    progress: Progress
