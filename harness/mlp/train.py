"""Training a network on whole query groups, with early stopping on the NDCG of another split."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.errors import ModelError
from harness.mlp.calibration import Ranges, activation_ranges
from harness.mlp.losses import Loss
from harness.mlp.model import Layer, MlpModel
from harness.mlp.options import NetworkOptions
from harness.mlp.transform import InputTransform, Transformer
from harness.ndcg import ndcg
from harness.protocols import Progress
from harness.ranking_data import Features, RankingData
from harness.records import NdcgSpec

_BLOCK_ROWS = 16_384
_PROGRESS_EVERY = 5
_MAX_GRADE = 30


@dataclass(frozen=True)
class Examples:
    """What to learn: features (n_rows, n_features), targets (n_rows,) float32, rows of a query group together."""

    features: Features
    targets: NDArray[np.float32]
    group_sizes: NDArray[np.int64]

    @classmethod
    def of_grades(cls, data: RankingData) -> Examples:
        """The gains 2^grade - 1 of a split as targets. ModelError where a grade is too high for that."""
        if data.grades.max() > _MAX_GRADE:
            row = int(np.argmax(data.grades))
            raise ModelError(
                f"grade {int(data.grades[row])} in row {row}: gains are 2^grade - 1, for grades up to {_MAX_GRADE}",
                where=f"dataset split {data.name!r}",
                remedy="map the grades to a short scale, such as 0 to 4",
            )
        return cls(data.features, np.exp2(data.grades.astype(np.float32)) - 1, data.group_sizes)


@dataclass(frozen=True)
class Fitted:
    """The network of the best epoch (1-based), mean NDCG on `valid` after each, and its activations' ranges there."""

    model: MlpModel
    best_epoch: int
    history: tuple[float, ...]
    ranges: Ranges

    @property
    def facts(self) -> dict[str, Any]:
        """What a bundle's `meta` says of the training."""
        facts = {"best_epoch": self.best_epoch, "epochs": len(self.history), "valid_ndcg": max(self.history)}
        return {**facts, "activation_ranges": self.ranges}


@dataclass(frozen=True)
class _Batch:
    rows: NDArray[np.int64]
    mask: torch.Tensor

    def padded(self, values: torch.Tensor) -> torch.Tensor:
        return torch.zeros(self.mask.shape, dtype=values.dtype).masked_scatter(self.mask, values)


def fit(
    options: NetworkOptions,
    transform: InputTransform,
    examples: Examples,
    loss: Loss,
    valid: RankingData,
    spec: NdcgSpec,
    *,
    n_threads: int,
    progress: Progress,
) -> Fitted:
    """Train with AdamW and a cosine learning rate; the same seed and thread count give the same network.

    Raises ModelError where a weight stops being finite.
    """
    with _seeded(options.seed, n_threads):
        network = _network(transform.n_inputs, options)
        apply = Transformer(transform)
        optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
        n_steps = options.epochs * math.ceil(examples.group_sizes.size / options.batch_groups)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
        rng = np.random.default_rng(options.seed)
        history: list[float] = []
        best_epoch, best_layers = 0, _layers(network)
        for epoch in range(1, options.epochs + 1):
            network.train()
            for batch in _batches(examples.group_sizes, options.batch_groups, rng):
                scores = network(apply(examples.features[batch.rows]))[:, 0]
                targets = torch.from_numpy(examples.targets[batch.rows])
                value = loss(batch.padded(scores), batch.padded(targets), batch.mask)
                optimiser.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            _check_finite(network, epoch)
            history.append(_mean_ndcg(network, apply, valid, spec))
            if epoch == 1 or history[-1] > history[best_epoch - 1]:
                best_epoch, best_layers = epoch, _layers(network)
            if epoch % _PROGRESS_EVERY == 0:
                progress(
                    f"epoch {epoch}/{options.epochs}: {spec} {history[-1]:.4f} on {valid.name}, best {max(history):.4f}"
                )
            if epoch - best_epoch >= options.patience:
                break
        model = MlpModel(transform, best_layers)
        return Fitted(model, best_epoch, tuple(history), activation_ranges(model, valid))


@contextmanager
def _seeded(seed: int, n_threads: int) -> Iterator[None]:
    """Torch with its own random numbers and thread count; both are as before afterwards."""
    threads_before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads_before)


def _network(n_inputs: int, options: NetworkOptions) -> nn.Sequential:
    widths = (n_inputs, *options.hidden)
    modules: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        modules += [nn.Linear(n_in, n_out), nn.ReLU()]
        if options.dropout:
            modules.append(nn.Dropout(options.dropout))
    return nn.Sequential(*modules, nn.Linear(widths[-1], 1))


def _layers(network: nn.Sequential) -> tuple[Layer, ...]:
    linear = [module for module in network if isinstance(module, nn.Linear)]
    return tuple(Layer(m.weight.detach().numpy().copy(), m.bias.detach().numpy().copy()) for m in linear)


def _batches(group_sizes: NDArray[np.int64], batch_groups: int, rng: np.random.Generator) -> Iterator[_Batch]:
    starts = np.cumsum(group_sizes) - group_sizes
    order = rng.permutation(group_sizes.size)
    for at in range(0, order.size, batch_groups):
        groups = order[at : at + batch_groups]
        sizes = group_sizes[groups]
        mask = np.arange(sizes.max()) < sizes[:, None]
        rows = (starts[groups][:, None] + np.arange(sizes.max()))[mask]
        yield _Batch(rows, torch.from_numpy(mask))


def _mean_ndcg(network: nn.Sequential, apply: Transformer, data: RankingData, spec: NdcgSpec) -> float:
    network.eval()
    with torch.inference_mode():
        blocks = [
            network(apply(data.features[start : start + _BLOCK_ROWS]))[:, 0]
            for start in range(0, data.n_rows, _BLOCK_ROWS)
        ]
    return float(np.nanmean(ndcg(torch.cat(blocks).numpy(), data, spec)))


def _check_finite(network: nn.Sequential, epoch: int) -> None:
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise ModelError(
            f"training diverged in epoch {epoch}: a weight is not finite", remedy="set a lower learning_rate"
        )
