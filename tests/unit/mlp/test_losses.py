"""Losses against their definitions, pair by pair; padding must not count."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.mlp.losses import centred_squares, lambda_rank, listwise, listwise_divergence, margin_squares

SCORES = torch.tensor([[0.3, -1.0, 2.0, 0.5], [1.0, 0.2, 0.0, 0.0]])
GAINS = torch.tensor([[1.0, 0.0, 3.0, 7.0], [0.0, 1.0, 0.0, 0.0]])
MASK = torch.tensor([[True] * 4, [True, True, False, False]])


def groups():
    return [(SCORES[i, MASK[i]].double().numpy(), GAINS[i, MASK[i]].double().numpy()) for i in range(2)]


def test_listwise():
    expected = [-(g / g.sum() * np.log(np.exp(s) / np.exp(s).sum())).sum() for s, g in groups()]
    assert listwise(SCORES, GAINS, MASK).item() == pytest.approx(np.mean(expected), rel=1e-6)


def test_listwise_of_a_group_without_gains_is_zero():
    scores = SCORES.clone().requires_grad_()
    value = listwise(scores, torch.zeros_like(GAINS), MASK)
    value.backward()
    assert value.item() == 0
    assert not scores.grad.any()


@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_lambda_rank(depth):
    expected = []
    for scores, gains in groups():
        order = np.argsort(-scores, kind="stable")
        s, g = scores[order], gains[order]
        discount = 1 / np.log2(np.arange(s.size) + 2)
        ideal = (np.sort(g)[::-1] * discount)[:depth].sum()
        total = 0.0
        for i in range(min(depth, s.size)):
            for j in range(i + 1, s.size):
                swap = abs((g[i] - g[j]) * (discount[i] - discount[j])) / ideal
                total += swap * np.log1p(np.exp(-np.sign(g[i] - g[j]) * (s[i] - s[j])))
        expected.append(total)
    assert lambda_rank(depth)(SCORES, GAINS, MASK).item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_centred_squares():
    squares = []
    for scores, targets in groups():
        difference = scores - targets
        squares += ((difference - difference.mean()) ** 2).tolist()
    assert centred_squares(SCORES, GAINS, MASK).item() == pytest.approx(np.mean(squares), rel=1e-6)
    shifted = SCORES + torch.tensor([[5.0], [-3.0]]) * MASK
    assert centred_squares(shifted, GAINS, MASK).item() == pytest.approx(np.mean(squares), rel=1e-5)


@pytest.mark.parametrize(
    "loss", [listwise, lambda_rank(3), centred_squares, listwise_divergence(1.0), margin_squares(3)]
)
def test_padding_gets_no_gradient_and_changes_nothing(loss):
    scores = SCORES.clone().requires_grad_()
    value = loss(scores, GAINS, MASK)
    value.backward()
    assert not scores.grad[~MASK].any()
    assert scores.grad[MASK].isfinite().all()
    wider = [torch.nn.functional.pad(tensor, (0, 3)) for tensor in (SCORES, GAINS, MASK)]
    assert loss(*wider).item() == pytest.approx(value.item(), rel=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_listwise_divergence(temperature):
    def softmax(values):
        e = np.exp(values / temperature)
        return e / e.sum()

    expected = [(softmax(t) * np.log(softmax(t) / softmax(s))).sum() for s, t in groups()]
    loss = listwise_divergence(temperature)
    assert loss(SCORES, GAINS, MASK).item() == pytest.approx(np.mean(expected), rel=1e-5)
    assert loss(GAINS, GAINS, MASK).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("depth", [1, 2, 10])
def test_margin_squares(depth):
    squares = []
    for scores, targets in groups():
        d = (scores - targets)[np.argsort(-targets, kind="stable")]
        squares += [(d[i] - d[j]) ** 2 for i in range(min(depth, d.size)) for j in range(i + 1, d.size)]
    assert margin_squares(depth)(SCORES, GAINS, MASK).item() == pytest.approx(np.mean(squares), rel=1e-5)
