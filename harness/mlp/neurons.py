"""Hidden units: how much each is worth, and the network without the least of them, its matrices sliced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.mlp.examples import batches
from harness.mlp.model import MlpModel
from harness.mlp.objective import Lesson
from harness.mlp.trainee import Trainee
from harness.mlp.transform import Transformer
from harness.mlp.widths import n_parameters
from harness.ranking_data import Floats

_MOST_BATCHES = 64


def by_norm(model: MlpModel) -> list[Floats]:
    """For each hidden layer, norm of a unit's incoming weights times that of its outgoing ones, mean 1 in a layer."""
    found = []
    for layer, above in zip(model.layers, model.layers[1:], strict=False):
        into = np.linalg.norm(np.column_stack([layer.weight, layer.bias]).astype(np.float64), axis=1)
        worth = into * np.linalg.norm(above.weight.astype(np.float64), axis=0)
        found.append(worth / (worth.mean() or 1.0))
    return found


def by_taylor(model: MlpModel, lesson: Lesson, batch_groups: int, seed: int) -> list[Floats]:
    """For each hidden layer, the squared first-order change of the loss if a unit were silent, mean over batches.

    (Molchanov et al., "Importance estimation for neural network pruning", CVPR 2019.) At most 64 batches are asked.
    """
    network, apply = Trainee.of(model.layers).eval(), Transformer(model.transform)
    total = [np.zeros(width) for width in model.hidden]
    for n_done, batch in enumerate(batches(lesson.examples.group_sizes, batch_groups, np.random.default_rng(seed))):
        if n_done == _MOST_BATCHES:
            break
        scores, hidden = network(apply(lesson.examples.features[batch.rows]))
        value = lesson.objective.value(scores, hidden, lesson.examples, batch, nn.Identity())
        gradients = torch.autograd.grad(value, hidden)
        for own, values, gradient in zip(total, hidden, gradients, strict=True):
            own += (values * gradient).sum(0).square().detach().numpy()
    return total


def shrunk(model: MlpModel, worth: list[Floats], most_parameters: int) -> MlpModel:
    """The network without the units that are worth least per parameter, until it has `most_parameters` at most.

    A layer loses half of its units at most, so that what is left can be trained and asked again.
    """
    keep = [np.ones(width, dtype=bool) for width in model.hidden]
    cost = [
        layer.weight.shape[1] + 1 + above.weight.shape[0]
        for layer, above in zip(model.layers, model.layers[1:], strict=False)
    ]
    place = np.repeat(np.arange(len(keep)), model.hidden)
    unit = np.concatenate([np.arange(width) for width in model.hidden])
    order = np.argsort(np.concatenate([own / price for own, price in zip(worth, cost, strict=True)]), kind="stable")
    floor = [(width + 1) // 2 for width in model.hidden]
    n_inputs = model.transform.n_inputs
    for at in order:
        if n_parameters(n_inputs, [int(own.sum()) for own in keep]) <= most_parameters:
            break
        layer = int(place[at])
        if keep[layer].sum() > floor[layer]:
            keep[layer][unit[at]] = False
    return sliced(model, keep)


def sliced(model: MlpModel, keep: list[NDArray[np.bool_]]) -> MlpModel:
    """The network with the hidden units that are kept: rows of their own matrix, columns of the next one."""
    layers = []
    columns = np.ones(model.transform.n_inputs, dtype=bool)
    for layer, rows in zip(model.layers, [*keep, np.ones(1, dtype=bool)], strict=True):
        weight = np.ascontiguousarray(layer.weight[rows][:, columns])
        layers.append(replace(layer, weight=weight, bias=layer.bias[rows]))
        columns = rows
    return replace(model, layers=tuple(layers))


def fewest_parameters(model: MlpModel) -> int:
    """Of the network with one unit in each hidden layer."""
    return n_parameters(model.transform.n_inputs, [1] * len(model.hidden))
