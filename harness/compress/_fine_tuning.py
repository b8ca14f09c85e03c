"""Fine-tuning of a network that a method has changed: on the uncompressed teacher's scores and the true labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.compress._lessons import spread, taught_by_teacher
from harness.mlp.options import FineTuningOptions
from harness.ndcg import check_contrast, quality_drop
from harness.protocols import Compression
from harness.ranking_data import Floats
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.mlp.model import MlpModel
    from harness.mlp.objective import Lesson

TOLD = ("targets", "synthetic_share", "outputs", "hints", "label_weight")
"""What a student's manifest says of how it was taught: keys of `distil_mlp`."""


class NetworkGate:
    """What a changed network costs on the valid split, against the one that it was made of.

    ModelError where the grades there can't tell one network from another.
    """

    def __init__(self, model: MlpModel, lesson: Lesson) -> None:
        check_contrast(lesson.valid)
        self._lesson = lesson
        self._base = self._ndcg(model)

    def drop_upper(self, model: MlpModel) -> float:
        """One-sided 95 % bound on the NDCG lost."""
        return quality_drop(self._base, self._ndcg(model)).drop_upper

    def _ndcg(self, model: MlpModel) -> Floats:
        from harness.mlp.train import valid_ndcg
        from harness.mlp.trainee import Trainee

        return valid_ndcg(Trainee.of(model.layers), self._lesson)


def lesson_of(options: FineTuningOptions, work: Compression, model: MlpModel) -> Lesson:
    """What `model` is fine-tuned with."""
    from harness.mlp.losses import centred_squares
    from harness.mlp.objective import Lesson, Objective

    labels = options.label_weight > 0
    examples = taught_by_teacher(work, synthetic_share=options.synthetic_share, labels=labels, seed=options.seed)
    objective = Objective(centred_squares, label_weight=options.label_weight)
    return Lesson(model.transform, examples, objective, work.splits.valid, work.ndcg, work.progress)


def in_teachers_unit(model: MlpModel, work: Compression) -> MlpModel:
    """The float32 network with its scores in units of their spread, as the targets are; it ranks as before."""
    from harness.mlp.scorer import MlpScorer
    from harness.scoring import scores_of

    data = work.splits.train
    unit = np.float32(spread(scores_of(MlpScorer(model), data.features), data))
    output = model.layers[-1]
    scaled = replace(output, weight=output.weight / unit, bias=output.bias / unit)
    return replace(model, layers=(*model.layers[:-1], scaled))


def taught_anew(before: Manifest, hidden: Sequence[int], seed: int) -> dict[str, Any]:
    """The recipe step for a network of other widths, taught as `before` was: by the teacher, or on the true labels."""
    told = {key: before.meta[key] for key in TOLD if key in before.meta}
    return {"kind": "distil_mlp", "targets": "labels", **told, "hidden": list(hidden), "seed": seed}


def refuses_all_but_networks(manifest: Manifest) -> str:
    """Why a method on float32 networks can't work on a bundle; empty where it can."""
    if manifest.format != "mlp":
        return f"a {manifest.format} bundle is not a network of the mlp format"
    if "quantise" in manifest.meta:
        return "the network is quantised already; put quantise behind this step"
    return "" if manifest.meta.get("hidden") != [] else "the network has no hidden layer"
