"""The schedule of gradual pruning."""

from __future__ import annotations

import pytest
import torch

from harness.mlp.sparsity import gradual
from harness.mlp.trainee import Trainee


def test_the_share_rises_along_a_cubic_and_zeros_may_come_back_before_the_end(random_model):
    network = Trainee.of(random_model(16, 8).layers)
    after_step = gradual(network, 0.8, "first")
    with torch.no_grad():
        for n_done, share in ((30, 0.8 * (1 - 0.5**3)), (60, 0.8)):
            after_step(n_done, 60)
            network.hold()
            assert (network.weight(0) == 0).float().mean().item() == pytest.approx(share, abs=0.01)
            network.weight(0)[network.weight(0) == 0] = 9.0
