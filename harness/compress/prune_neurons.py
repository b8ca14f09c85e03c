"""Whole hidden units out of a network, the least important first, with fine-tuning in between; really smaller.

Importance is the first-order change of the loss (Molchanov et al., CVPR 2019) or the norm of a unit's weights. The
control is a network of the same widths, taught anew as the one that is pruned was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.bundle import Draft
from harness.compress._fine_tuning import (
    NetworkGate,
    in_teachers_unit,
    lesson_of,
    refuses_all_but_networks,
    taught_anew,
)
from harness.compress._size_options import OneOfSeveral
from harness.errors import ModelError
from harness.mlp.options import FineTuningOptions, Importance
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.mlp.model import MlpModel
    from harness.mlp.objective import Lesson
    from harness.mlp.train import Fitted

_SMALLEST_STEP, _GATE_STEP = 0.6, 0.8


class Options(OneOfSeveral, FineTuningOptions):
    """Exactly one of `keep`, `max_parameters`, `max_drop`, and how the rest is fine-tuned after each step."""

    keep: float | None = Field(default=None, gt=0, lt=1, description="share of the parameters to keep")
    max_parameters: int | None = Field(default=None, ge=1, description="most parameters")
    max_drop: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="as small as the valid split allows: most NDCG lost against the step's input, at its 95 % bound; "
        "a fifth of the parameters goes at a time",
    )
    steps: int = Field(default=2, ge=1, le=100, description="prunings with fine-tuning to a given size, at least")
    importance: Importance = Field(
        default="taylor",
        description="taylor: change of the loss without the unit, to first order; norm: of its weights",
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Works on float32 networks with hidden layers, before their weights are pruned one by one."""
    if "sparsity" in manifest.meta:
        return "weights were pruned one by one already; put prune_weights behind this step"
    return refuses_all_but_networks(manifest)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """A network of the same widths, taught as the one before was."""
    return taught_anew(before, after.meta["hidden"], options.seed)


def apply(options: Options, work: Compression) -> Draft:
    """Write the pruned network. Raises ModelError where training diverges or the size can't be had.

    Where no smaller network meets `max_drop`, the network stays as it is and a note says how near one came.
    """
    from harness.mlp import artefacts

    manifest = work.bundle.manifest
    model = artefacts.load(work.bundle)
    if options.max_drop is not None:
        fitted, note = _within(options.max_drop, options, work, in_teachers_unit(model, work))
    else:
        fitted, note = _to_size(options, work, in_teachers_unit(model, work)), ""
    notes = {"notes": [note]} if note else {}
    if fitted is None:
        return artefacts.save(model, work.out, manifest.feature_names, meta={**manifest.meta, **notes})
    meta = {**manifest.meta, **fitted.facts, **notes, "importance": options.importance}
    return artefacts.save(fitted.model, work.out, manifest.feature_names, meta=meta)


def _to_size(options: Options, work: Compression, model: MlpModel) -> Fitted:
    from harness.mlp.neurons import fewest_parameters

    n_before, fewest = model.size.n_parameters, fewest_parameters(model)
    target = options.max_parameters or round((options.keep or 1.0) * n_before)
    if not fewest <= target < n_before:
        raise ModelError(
            f"{target} parameters can't be had: the network has {n_before}, {fewest} with one unit per hidden layer",
            where="prune_neurons",
            remedy="set keep or max_parameters in between",
        )
    n_steps = max(options.steps, math.ceil(math.log(target / n_before) / math.log(_SMALLEST_STEP)))
    sizes = [round(n_before * (target / n_before) ** (step / n_steps)) for step in range(1, n_steps + 1)]
    *_, last = _sequence(options, work, model, lesson_of(options, work, model), sizes)
    return last


def _within(max_drop: float, options: Options, work: Compression, model: MlpModel) -> tuple[Fitted | None, str]:
    from harness.mlp.neurons import fewest_parameters

    lesson = lesson_of(options, work, model)
    gate = NetworkGate(model, lesson)
    n_steps = math.ceil(math.log(fewest_parameters(model) / model.size.n_parameters) / math.log(_GATE_STEP))
    sizes = [round(model.size.n_parameters * _GATE_STEP**step) for step in range(1, n_steps)]
    best: Fitted | None = None
    for fitted in _sequence(options, work, model, lesson, sizes):
        lost, n = gate.drop_upper(fitted.model), fitted.model.size.n_parameters
        work.progress(f"prune_neurons: at most {lost:.4f} lost with {n} parameters, {max_drop:g} allowed")
        if lost > max_drop:
            if best is None:
                return None, f"not pruned: {n} parameters lose up to {lost:.4f}, {max_drop:g} are allowed"
            break
        best = fitted
    return best, ""


def _sequence(
    options: Options, work: Compression, model: MlpModel, lesson: Lesson, sizes: list[int]
) -> Iterator[Fitted]:
    """Smaller and smaller networks, each fine-tuned."""
    from harness.mlp.neurons import by_norm, by_taylor, shrunk
    from harness.mlp.train import refit, seeded

    for n_parameters in sizes:
        while model.size.n_parameters > n_parameters:
            if options.importance == "norm":
                worth = by_norm(model)
            else:
                with seeded(options.seed, work.n_threads):
                    worth = by_taylor(model, lesson, options.batch_groups, options.seed)
            smaller = shrunk(model, worth, n_parameters)
            if smaller.size.n_parameters == model.size.n_parameters:
                return
            model = smaller
        work.progress(f"prune_neurons: {model.size.n_parameters} parameters, hidden {list(model.hidden)}")
        fitted = refit(model, options, lesson, n_threads=work.n_threads)
        model = fitted.model
        yield fitted
