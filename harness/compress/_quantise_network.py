"""Integers in place of a network's numbers: what the `quantise` method does to a bundle of the mlp format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from harness.bundle import Draft
from harness.compress._fine_tuning import in_teachers_unit, lesson_of
from harness.mlp.options import QatOptions
from harness.protocols import Compression
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.mlp.model import MlpModel

Activations = Literal["dynamic", "static"]


def refuses_network(manifest: Manifest) -> str:
    """Why the hidden layers of a network can't be quantised; empty where they can."""
    return "" if manifest.meta.get("hidden") != [] else "the network has no hidden layer to quantise"


def quantise_network(activations: Activations, qat: bool | QatOptions, work: Compression) -> Draft:
    """Weights of the hidden layers in int8, one scale per output channel, and activations at run time or on grids.

    `static` grids are calibrated on the valid split, with `qat` learned in training. Raises ModelError where that
    diverges.
    """
    from harness.mlp import artefacts

    model = artefacts.load(work.bundle)
    said: dict[str, Any] = {"weights": "int8", "activations": "static" if qat else activations}
    facts: dict[str, Any] = {}
    if qat:
        model, facts = _trained(model, QatOptions() if qat is True else qat, work)
        said["qat"] = True
    elif activations == "static":
        model = _calibrated(model, work)
    else:
        model = model.quantised()
    manifest = work.bundle.manifest
    kept = {key: value for key, value in manifest.meta.items() if key not in _OF_THE_WEIGHTS}
    if "sparsity" in manifest.meta:
        kept["notes"] = ["int8 kernels multiply the zeros of pruned weights too"]
    return artefacts.save(model, work.out, manifest.feature_names, meta={**kept, **facts, "quantise": said})


_OF_THE_WEIGHTS = ("valid_ndcg", "activation_ranges")


def _calibrated(model: MlpModel, work: Compression) -> MlpModel:
    from harness.mlp.calibration import activation_ranges, grids_over

    return model.on_grids(grids_over(activation_ranges(model, work.splits.valid)))


def _trained(model: MlpModel, options: QatOptions, work: Compression) -> tuple[MlpModel, dict[str, Any]]:
    from harness.mlp.calibration import activation_ranges, grids_over
    from harness.mlp.fake_quantised import FakeQuantised
    from harness.mlp.train import mean_valid_ndcg, seeded, train

    model = in_teachers_unit(model, work)
    lesson = lesson_of(options, work, model)
    with seeded(options.seed, work.n_threads):
        network = FakeQuantised.on_grids(model, grids_over(activation_ranges(model, work.splits.valid)))
        before = mean_valid_ndcg(network, lesson)
        course = train(network, options, lesson, from_start=True)
        trained = network.exported(lesson.transform)
    work.progress(
        f"quantise: {lesson.spec} {course.valid_ndcg:.4f} on {lesson.valid.name} after quantisation-aware training, "
        f"{before:.4f} after calibration alone"
    )
    return trained, {**course.facts, "valid_ndcg_calibrated": before}
