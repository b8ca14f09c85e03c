"""A network under training: torch layers that come from a model's arrays, or from a seed, and go back into arrays."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from harness.mlp.model import Layer
from harness.mlp.options import NetworkOptions


class Trainee(nn.Module):
    """Hidden layers with ReLU and an output layer of one unit, on network inputs (n, n_inputs).

    A weight that comes as exactly 0 stays 0 (`hold`), so that training never undoes what was pruned.
    """

    def __init__(self, linear: list[nn.Linear], dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = nn.ModuleList(linear)
        self.dropout = nn.Dropout(dropout)
        self.masks: dict[int, torch.Tensor] = {}

    @classmethod
    def fresh(cls, n_inputs: int, options: NetworkOptions) -> Trainee:
        """Random weights, by torch's current seed."""
        widths = (n_inputs, *options.hidden, 1)
        return cls([nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths)], options.dropout)

    @classmethod
    def of(cls, layers: tuple[Layer, ...]) -> Trainee:
        """The weights of a float32 model."""
        linear = [nn.Linear(layer.weight.shape[1], layer.weight.shape[0]) for layer in layers]
        trainee = cls(linear)
        with torch.no_grad():
            for place, (module, layer) in enumerate(zip(linear, layers, strict=True)):
                module.weight.copy_(torch.tensor(layer.weight))
                module.bias.copy_(torch.tensor(layer.bias))
                if not layer.weight.all():
                    trainee.masks[place] = module.weight != 0
        return trainee

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Scores (n,), and what each hidden layer gives, (n, width) each."""
        hidden: list[torch.Tensor] = []
        *inner, output = self.modules_in_order()
        values = inputs
        for module in inner:
            values = self.dropout(module(values).relu())
            hidden.append(values)
        return output(values)[:, 0], hidden

    def hold(self) -> None:
        """Set the pruned weights to 0 again, after a step of the optimiser."""
        with torch.no_grad():
            for place, mask in self.masks.items():
                self.weight(place).mul_(mask)

    def modules_in_order(self) -> list[nn.Linear]:
        """The layers, the output layer last."""
        return [module for module in self.linear if isinstance(module, nn.Linear)]

    def weight(self, place: int) -> torch.Tensor:
        """The weights (n_out, n_in) of one layer."""
        return self.modules_in_order()[place].weight

    def layers(self) -> tuple[Layer, ...]:
        """The weights as arrays."""
        return tuple(
            Layer(module.weight.detach().numpy().copy(), module.bias.detach().numpy().copy())
            for module in self.modules_in_order()
        )
