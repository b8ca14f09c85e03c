"""Quantisation-aware training: the network rounds its numbers while it learns, as the int8 kernels will.

Weights, biases and activations are rounded to the grids they are served on; the gradient passes through the rounding as
if it were not there (straight-through; Jacob et al., CVPR 2018). Activation scales are learned (LSQ, Esser et al., ICLR
2020), from the calibrated ones on; weight scales follow the largest weight of each output channel.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from harness.mlp.model import WEIGHT_BITS, Grid, MlpModel
from harness.mlp.trainee import Trainee
from harness.mlp.transform import InputTransform

_UINT8_MAX = 255
_WEIGHT_MAX = 2 ** (WEIGHT_BITS - 1) - 1


class FakeQuantised(Trainee):
    """A trainee whose hidden layers compute what the exported int8 layers will."""

    def __init__(self, linear: list[nn.Linear], grids: tuple[Grid, ...]) -> None:
        super().__init__(linear)
        self.log_scale = nn.Parameter(torch.tensor([float(grid.scale) for grid in grids]).log())
        self.zero = nn.Buffer(torch.tensor([float(grid.zero) for grid in grids]))

    @classmethod
    def on_grids(cls, model: MlpModel, grids: tuple[Grid, ...]) -> FakeQuantised:
        """The weights of a float32 model, activations on `grids` to begin with."""
        plain = Trainee.of(model.layers)
        network = cls(plain.modules_in_order(), grids)
        network.masks = plain.masks
        return network

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Scores (n,), and what each hidden layer gives on its grid, (n, width) each."""
        hidden: list[torch.Tensor] = []
        *inner, output = self.modules_in_order()
        values = self._on_grid(inputs, 0)
        for place, module in enumerate(inner):
            weight, bias = self._rounded(module, place)
            values = self._on_grid(nn.functional.linear(values, weight, bias).relu(), place + 1)
            hidden.append(values)
        return output(values)[:, 0], hidden

    def grids(self) -> tuple[Grid, ...]:
        """The activations' grids as they are now."""
        scales = self.log_scale.detach().exp().numpy()
        return tuple(Grid(np.float32(s), np.uint8(z)) for s, z in zip(scales, self.zero.numpy(), strict=True))

    def exported(self, transform: InputTransform) -> MlpModel:
        """The int8 model that gives these scores."""
        return MlpModel(transform, self.layers()).on_grids(self.grids())

    def _on_grid(self, values: torch.Tensor, place: int) -> torch.Tensor:
        scale, zero = self.log_scale[place].exp(), self.zero[place]
        return (_round(values / scale) + zero).clamp(0, _UINT8_MAX).sub(zero) * scale

    def _rounded(self, module: nn.Linear, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        peak = module.weight.detach().abs().amax(1, keepdim=True)
        scale = torch.where(peak > 0, peak, 1.0) / _WEIGHT_MAX
        weight = _round(module.weight / scale).clamp(-_WEIGHT_MAX, _WEIGHT_MAX) * scale
        unit = scale[:, 0] * self.log_scale[place].detach().exp()
        return weight, _round(module.bias / unit) * unit


def _round(values: torch.Tensor) -> torch.Tensor:
    """Rounded to whole numbers, half to even, with the gradient of the identity."""
    return values + (values.round() - values).detach()
