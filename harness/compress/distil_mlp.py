"""A feed-forward network taught by the teacher, on real and synthetic documents.

What it is taught: the teacher's scores (`outputs`: squares, listwise or margins), what the teacher knows inside
(`hints`: a hidden layer of a network, the leaves of an ensemble; FitNets, Romero et al., ICLR 2015), and the true
labels to a declared share. Synthetic documents lie between the teacher's splits (Cohen et al., "Universal approximation
functions for fast learning to rank", SIGIR 2018). On the made-up feed a 128-64 network comes within 0.001 NDCG@10 of
500 trees with the scores, and loses nothing with `hints: leaves`; on few data hints may cost.

It pays where the teacher is large and the service has matrix kernels: time and size depend on `hidden` alone, not on
the teacher. It takes minutes of training. The control is the same network trained on the true labels alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from harness.bundle import Draft
from harness.compress._fine_tuning import TOLD
from harness.mlp.options import NetworkOptions, Width
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.mlp.losses import Loss
    from harness.mlp.objective import Lesson

_MARGIN_DEPTH = 10


class Options(NetworkOptions):
    """Keys of a `distil_mlp` step."""

    hidden: tuple[Width, ...] = Field(default=(128, 64), max_length=16, description="widths of the hidden layers")
    epochs: int = Field(default=20, ge=1, le=10_000, description="most passes over the training data")
    synthetic_share: float = Field(
        default=0.5, ge=0, le=0.95, description="synthetic documents among all that it is taught on"
    )
    targets: Literal["teacher", "labels"] = Field(
        default="teacher", description="labels: listwise on the true grades, without synthetic documents (the control)"
    )
    outputs: Literal["squares", "listwise", "margins"] = Field(
        default="squares",
        description="how scores are compared within a query group: squares of the centred differences; listwise, "
        "divergence of the softmax; margins, squares of the differences of pairs with one of the teacher's first 10",
    )
    temperature: float = Field(default=1.0, gt=0, le=1000, description="of outputs: listwise")
    hints: Literal["none", "hidden", "leaves"] = Field(
        default="none",
        description="what a hidden layer shall tell beside: the middle layer of a network teacher (hidden), or the "
        "principal components of a tree teacher's leaf indicators (leaves)",
    )
    n_hints: int = Field(default=32, ge=1, le=1024, description="principal components of the hints")
    hint_weight: float = Field(default=0.3, ge=0, le=1000, description="of the squared error of the hints")
    label_weight: float = Field(
        default=0.0, ge=0, lt=1, description="share of the loss on the true grades, the rest is on the teacher's scores"
    )

    @model_validator(mode="after")
    def _hints_need_a_teacher_and_a_layer(self) -> Options:
        if self.targets == "labels" and (self.hints != "none" or self.label_weight):
            raise ValueError("targets: labels learns from the true grades alone; leave out hints and label_weight")
        if self.hints != "none" and not self.hidden:
            raise ValueError(f"hints: {self.hints} needs a hidden layer; give `hidden` at least one width")
        return self


def refuses(options: Options, manifest: Manifest) -> str:  # whatever gives scores can teach
    """Never: any bundle can be replaced by a student."""
    return ""


def starts_anew(options: Options) -> bool:
    """Always: the student learns from the uncompressed teacher, or from the labels."""
    return True


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """The same network trained on the true labels; None where that is what was done."""
    if options.targets == "labels":
        return None
    shape = options.model_dump(mode="json", include=set(NetworkOptions.model_fields))
    return {"kind": "distil_mlp", **shape, "targets": "labels"}


def apply(options: Options, work: Compression) -> Draft:
    """Train the student and write `model.npz`.

    Raises ModelError where training diverges, a score of the teacher is not finite, or it has no such hints.
    """
    from harness.mlp.artefacts import save
    from harness.mlp.train import fit

    taught = options.targets == "teacher"
    lesson = _by_teacher(options, work) if taught else _by_labels(work)
    fitted = fit(options, lesson, n_threads=work.n_threads)
    told = options.model_dump(mode="json", include=set(TOLD) if taught else {"targets"})
    return save(fitted.model, work.out, work.splits.train.feature_names, meta={**told, **fitted.facts})


def _by_labels(work: Compression) -> Lesson:
    from harness.mlp.examples import Examples
    from harness.mlp.losses import listwise
    from harness.mlp.objective import Lesson, Objective
    from harness.mlp.transform import fit_transform

    train = work.splits.train
    transform = fit_transform(train.features)
    return Lesson(
        transform, Examples.of_grades(train), Objective(listwise), work.splits.valid, work.ndcg, work.progress
    )


def _by_teacher(options: Options, work: Compression) -> Lesson:
    from harness.compress._hints import hidden_hints, leaf_hints
    from harness.compress._lessons import taught_by_teacher
    from harness.mlp.objective import Lesson, Objective
    from harness.mlp.transform import fit_transform

    examples = taught_by_teacher(
        work, synthetic_share=options.synthetic_share, labels=options.label_weight > 0, seed=options.seed
    )
    layer = len(options.hidden) - 1
    match options.hints:
        case "hidden":
            hints = hidden_hints(work, examples.features, options.n_hints)
            examples, layer = replace(examples, hints=hints), len(options.hidden) // 2
        case "leaves":
            work.progress("distil_mlp: leaves of the teacher")
            hints = leaf_hints(work, examples.features, options.n_hints, options.seed)
            examples = replace(examples, hints=hints)
    objective = Objective(_loss(options), options.label_weight, options.hint_weight, layer)
    transform = fit_transform(work.splits.train.features)
    return Lesson(transform, examples, objective, work.splits.valid, work.ndcg, work.progress)


def _loss(options: Options) -> Loss:
    from harness.mlp import losses

    match options.outputs:
        case "listwise":
            return losses.listwise_divergence(options.temperature)
        case "margins":
            return losses.margin_squares(_MARGIN_DEPTH)
    return losses.centred_squares
