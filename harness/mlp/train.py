"""Training a network on whole query groups, with early stopping on the NDCG of another split."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from harness.errors import ModelError
from harness.events import Count
from harness.mlp.calibration import Ranges, activation_ranges
from harness.mlp.examples import batches
from harness.mlp.model import MlpModel
from harness.mlp.objective import Lesson
from harness.mlp.options import NetworkOptions, TrainingOptions
from harness.mlp.trainee import Trainee
from harness.mlp.transform import Transformer
from harness.ndcg import ndcg
from harness.ranking_data import Floats

_BLOCK_ROWS = 16_384
_PROGRESS_EVERY = 5

AfterStep = Callable[[int, int], None]
"""(steps done, steps in all): changes the network between two steps of the optimiser."""


@dataclass(frozen=True)
class Course:
    """How training went: mean NDCG on valid after each epoch, the best epoch (1-based, 0: the start) and its NDCG."""

    history: tuple[float, ...]
    best_epoch: int
    valid_ndcg: float

    @property
    def facts(self) -> dict[str, Any]:
        """What a bundle's `meta` says of it."""
        return {"best_epoch": self.best_epoch, "epochs": len(self.history), "valid_ndcg": self.valid_ndcg}


@dataclass(frozen=True)
class Fitted:
    """A trained network, how that went, and the ranges of its activations on valid."""

    model: MlpModel
    course: Course
    ranges: Ranges

    @property
    def facts(self) -> dict[str, Any]:
        """What a bundle's `meta` says of the training."""
        return {**self.course.facts, "activation_ranges": self.ranges}


def fit(options: NetworkOptions, lesson: Lesson, *, n_threads: int) -> Fitted:
    """Train a new network; the same seed and thread count give the same. Raises ModelError where it diverges."""
    with seeded(options.seed, n_threads):
        network = Trainee.fresh(lesson.transform.n_inputs, options)
        return _fitted(network, train(network, options, lesson), lesson)


def refit(
    model: MlpModel,
    options: TrainingOptions,
    lesson: Lesson,
    *,
    n_threads: int,
    after_step: Callable[[Trainee], AfterStep] | None = None,
) -> Fitted:
    """Train a float32 network further, or leave it where no epoch makes it better; as `fit` otherwise.

    `after_step` is given the network and gives what changes it between steps.
    """
    with seeded(options.seed, n_threads):
        network = Trainee.of(model.layers)
        course = train(network, options, lesson, after_step(network) if after_step else None, from_start=True)
        return _fitted(network, course, lesson)


def train(
    network: Trainee,
    options: TrainingOptions,
    lesson: Lesson,
    after_step: AfterStep | None = None,
    *,
    from_start: bool = False,
) -> Course:
    """Train `network` in place with AdamW and a cosine learning rate; it is left as it was after its best epoch.

    With `from_start` the network as it was before the first epoch counts too; with `after_step` only the last epoch
    does, for it was another network before. Raises ModelError where a weight stops being finite.
    """
    examples, apply = lesson.examples, Transformer(lesson.transform)
    guess = _hint_map(network, lesson)
    optimiser = torch.optim.AdamW(
        [*network.parameters(), *guess.parameters()], lr=options.learning_rate, weight_decay=options.weight_decay
    )
    n_steps = options.epochs * math.ceil(examples.n_groups / options.batch_groups)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
    rng = np.random.default_rng(options.seed)
    history: list[float] = []
    best = copy.deepcopy(network.state_dict())
    best_epoch, best_ndcg, n_done = 0, mean_valid_ndcg(network, lesson) if from_start else -math.inf, 0
    for epoch in range(1, options.epochs + 1):
        network.train()
        for batch in batches(examples.group_sizes, options.batch_groups, rng):
            scores, hidden = network(apply(examples.features[batch.rows]))
            value = lesson.objective.value(scores, hidden, examples, batch, guess)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            n_done += 1
            if after_step is not None:
                after_step(n_done, n_steps)
            network.hold()
        _check_finite(network, epoch)
        history.append(mean_valid_ndcg(network, lesson))
        if history[-1] > best_ndcg or after_step is not None:
            best_epoch, best_ndcg, best = epoch, history[-1], copy.deepcopy(network.state_dict())
        if epoch % _PROGRESS_EVERY == 0:
            reached = f"{lesson.spec} {history[-1]:.4f} on {lesson.valid.name}, best {best_ndcg:.4f}"
            lesson.progress(Count("epoch", epoch, options.epochs, reached))
        if epoch - best_epoch >= options.patience:
            break
    network.load_state_dict(best)
    return Course(tuple(history), best_epoch, best_ndcg)


@contextmanager
def seeded(seed: int, n_threads: int) -> Iterator[None]:
    """Torch with its own random numbers and thread count; both are as before afterwards."""
    threads_before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads_before)


def valid_ndcg(network: Trainee, lesson: Lesson) -> Floats:
    """NDCG of each query group of the valid split, (n_groups,)."""
    network.eval()
    apply, data = Transformer(lesson.transform), lesson.valid
    with torch.inference_mode():
        blocks = [
            network(apply(data.features[start : start + _BLOCK_ROWS]))[0]
            for start in range(0, data.n_rows, _BLOCK_ROWS)
        ]
    return ndcg(torch.cat(blocks).numpy(), data, lesson.spec)


def mean_valid_ndcg(network: Trainee, lesson: Lesson) -> float:
    """Mean NDCG over the valid split."""
    return float(np.nanmean(valid_ndcg(network, lesson)))


def _fitted(network: Trainee, course: Course, lesson: Lesson) -> Fitted:
    model = MlpModel(lesson.transform, network.layers())
    return Fitted(model, course, activation_ranges(model, lesson.valid))


def _hint_map(network: Trainee, lesson: Lesson) -> nn.Module:
    """A linear map from the hinted layer to the hints; without parameters where there are none."""
    if lesson.examples.hints is None:
        return nn.Identity()
    hidden = range(len(network.linear) - 1)
    n_in = network.weight(hidden[lesson.objective.hint_layer]).shape[0]
    return nn.Linear(n_in, lesson.examples.hints.shape[1])


def _check_finite(network: nn.Module, epoch: int) -> None:
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise ModelError(
            f"training diverged in epoch {epoch}: a weight is not finite", remedy="set a lower learning_rate"
        )
