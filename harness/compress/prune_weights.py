"""Single weights of a network set to zero, the smallest first, gradually; faster where zeros are most of a layer.

Gradual magnitude pruning (Zhu and Gupta, 2017) while the network is trained on, then fine-tuning of what is left. The
native engine multiplies layers of more than four fifths zeros without them (a sparse first layer, Nardini et al., TKDE
2022; here any hidden layer). All other engines multiply the zeros too, and so do int8 kernels. The control is a dense
network of as many parameters, taught anew as the one that is pruned was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

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
from harness.mlp.options import FineTuningOptions
from harness.mlp.widths import narrower
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.mlp.model import MlpModel
    from harness.mlp.objective import Lesson
    from harness.mlp.train import Fitted

_LADDER = (0.98, 0.95, 0.9, 0.85)


class Options(OneOfSeveral, FineTuningOptions):
    """Exactly one of `sparsity` and `max_drop`, and how the network is trained meanwhile and afterwards."""

    sparsity: float | None = Field(default=None, gt=0, le=0.999, description="share of the weights to set to zero")
    max_drop: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="the highest sparsity of 98, 95, 90 and 85 % that the valid split allows: most NDCG lost against "
        "the step's input, at its 95 % bound",
    )
    layers: Literal["first", "hidden"] = Field(
        default="hidden", description="prune the first hidden layer, or all of them, each to the same share"
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Works once, on float32 networks with hidden layers."""
    if "sparsity" in manifest.meta:
        return "weights were pruned one by one already"
    return refuses_all_but_networks(manifest)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """A dense network with all hidden layers narrower by the same factor, taught as the one before was."""
    narrow = narrower(before.meta["hidden"], before.size.n_parameters, after.size.n_parameters)
    return taught_anew(before, narrow, options.seed)


def apply(options: Options, work: Compression) -> Draft:
    """Write the sparse network. Raises ModelError where training diverges.

    Where no sparsity meets `max_drop`, the network stays as it is and a note says how near the lowest came.
    """
    from harness.mlp import artefacts
    from harness.mlp.model import SPARSE_BELOW
    from harness.mlp.sparsity import zeros

    manifest = work.bundle.manifest
    model = artefacts.load(work.bundle)
    scaled = in_teachers_unit(model, work)
    lesson = lesson_of(options, work, scaled)
    notes: list[str] = []
    if options.sparsity is not None:
        fitted: Fitted | None = _pruned(options.sparsity, options, work, scaled, lesson)
    else:
        fitted, why = _within(options.max_drop or 0.0, options, work, scaled, lesson)
        notes += [why] if why else []
    if fitted is None:
        return artefacts.save(model, work.out, manifest.feature_names, meta={**manifest.meta, "notes": notes})
    share = zeros(fitted.model.layers, options.layers)
    faster = share > 1 - SPARSE_BELOW
    notes.append(
        f"{share:.0%} zeros, skipped by the native engine alone"
        if faster
        else f"{share:.0%} zeros without speed: up to {1 - SPARSE_BELOW:.0%} a dense product is faster"
    )
    meta = {**manifest.meta, **fitted.facts, "sparsity": round(share, 4), "notes": notes}
    return artefacts.save(fitted.model, work.out, manifest.feature_names, meta=meta)


def _within(
    max_drop: float, options: Options, work: Compression, model: MlpModel, lesson: Lesson
) -> tuple[Fitted | None, str]:
    gate = NetworkGate(model, lesson)
    why = ""
    for sparsity in _LADDER:
        fitted = _pruned(sparsity, options, work, model, lesson)
        lost = gate.drop_upper(fitted.model)
        work.progress(f"prune_weights: at most {lost:.4f} lost at {sparsity:.0%} zeros, {max_drop:g} allowed")
        if lost <= max_drop:
            return fitted, ""
        why = f"not pruned: {sparsity:.0%} zeros lose up to {lost:.4f}, {max_drop:g} are allowed"
    return None, why


def _pruned(sparsity: float, options: Options, work: Compression, model: MlpModel, lesson: Lesson) -> Fitted:
    from harness.mlp.sparsity import gradual
    from harness.mlp.train import refit

    work.progress(f"prune_weights: to {sparsity:.0%} zeros in {options.epochs} epochs")
    thin = refit(
        model,
        options,
        lesson,
        n_threads=work.n_threads,
        after_step=lambda network: gradual(network, sparsity, options.layers),
    )
    after = refit(thin.model, options, lesson, n_threads=work.n_threads)
    work.progress(f"prune_weights: {lesson.spec} {after.course.valid_ndcg:.4f} on {lesson.valid.name}")
    return after
