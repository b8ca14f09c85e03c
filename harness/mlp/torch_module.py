"""A float32 network as a torch module, input transform and layers in one graph that torch can export."""

from __future__ import annotations

import torch
from torch import nn

from harness.mlp.model import MlpModel
from harness.mlp.transform import CLIP, signed_log


class Network(nn.Module):
    """x (n, n_features) float32, NaN for missing -> scores (n,) float32."""

    def __init__(self, model: MlpModel) -> None:
        super().__init__()
        self.scale = nn.Buffer(torch.tensor(model.transform.scale))
        self.shift = nn.Buffer(torch.tensor(model.transform.shift))
        self.missing = nn.Buffer(torch.tensor(model.transform.missing))
        self.weights = nn.ParameterList(torch.tensor(layer.weight) for layer in model.layers)
        self.biases = nn.ParameterList(torch.tensor(layer.bias) for layer in model.layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of candidates."""
        values = torch.addcmul(self.shift, signed_log(x), self.scale)
        values = values.nan_to_num(0.0, CLIP, -CLIP).clamp(-CLIP, CLIP)
        if self.missing.numel():
            values = torch.cat((values, x.index_select(1, self.missing).isnan().float()), dim=1)
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = nn.functional.linear(values.relu() if place else values, weight, bias)
        return values[:, 0]
