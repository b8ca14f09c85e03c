"""A feed-forward network taught the teacher's scores, on real and synthetic documents.

For a tree teacher the synthetic documents are drawn at the midpoints between its splits (Cohen et al., SIGIR 2018;
Nardini et al., "Distilled neural networks for efficient learning to rank", TKDE 2022); for any other they are
mixtures of two training rows. The control is the same network trained on the true labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.bundle import Draft
from harness.errors import ModelError
from harness.mlp.options import NetworkOptions, Width
from harness.protocols import Compression
from harness.ranking_data import Features
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.mlp.train import Examples


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


def refuses(options: Options, manifest: Manifest) -> str:  # whatever gives scores can teach
    """Never: any bundle can be replaced by a student."""
    return ""


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """The same network trained on the true labels; None where that is what was done."""
    if options.targets == "labels":
        return None
    return {"kind": "distil_mlp", **options.model_dump(mode="json"), "targets": "labels"}


def apply(options: Options, work: Compression) -> Draft:
    """Train the student and write `model.npz`.

    Raises ModelError where training diverges, or a score of the teacher is not finite.
    """
    from harness.mlp.artefacts import save
    from harness.mlp.losses import centred_squares, listwise
    from harness.mlp.train import Examples, fit
    from harness.mlp.transform import fit_transform

    data = work.splits.train
    taught = options.targets == "teacher"
    fitted = fit(
        options,
        fit_transform(data.features),
        _lessons(options, work) if taught else Examples.of_grades(data),
        centred_squares if taught else listwise,
        work.splits.valid,
        work.ndcg,
        n_threads=work.n_threads,
        progress=work.progress,
    )
    meta = {"targets": options.targets, **fitted.facts}
    if taught:
        meta["synthetic_share"] = options.synthetic_share
    return save(fitted.model, work.out, data.feature_names, meta=meta)


def _lessons(options: Options, work: Compression) -> Examples:
    """Train rows and synthetic documents with the teacher's scores, in units of their spread within query groups.

    Synthetic documents belong to no query; they stand in groups of the median size.
    """
    from harness.mlp.train import Examples
    from harness.scoring import score

    data = work.splits.train
    share, group_size = options.synthetic_share, int(np.median(data.group_sizes))
    n_groups = round(data.n_rows * share / (1 - share) / group_size)
    documents = _synthetic(work, n_groups * group_size, np.random.default_rng(options.seed))
    scores = score(work.teacher, data.features)
    targets = np.concatenate([scores, score(work.teacher, documents)]) / _spread(scores, data.group_sizes)
    if not np.isfinite(targets).all():
        raise ModelError(
            "the teacher gives a score that is not finite, which nothing can be taught from",
            where=str(work.teacher.path),
            remedy="check the teacher's scores on the train split, missing values included",
        )
    return Examples(
        np.concatenate([data.features, documents]),
        targets.astype(np.float32, copy=False),
        np.concatenate([data.group_sizes, np.full(n_groups, group_size)]),
    )


def _synthetic(work: Compression, n: int, rng: np.random.Generator) -> Features:
    from harness.mlp.synthetic import cross, draw, split_midpoints
    from harness.trees import artefacts
    from harness.trees.forest import categories_of

    x = work.splits.train.features
    if work.teacher.manifest.format != "trees":
        return cross(x, n, rng)
    trees = artefacts.load(work.teacher).trees
    feature = np.concatenate([tree.feature[tree.is_numerical] for tree in trees])
    threshold = np.concatenate([tree.threshold[tree.is_numerical] for tree in trees])
    lists = split_midpoints(feature, threshold, x, categorical=categories_of(trees))
    return draw(lists, np.isnan(x).mean(axis=0), n, rng)


def _spread(scores: NDArray[np.float32], group_sizes: NDArray[np.int64]) -> float:
    """Root mean squared deviation from the mean of the own query group; 1 where the scores do not differ."""
    group = np.repeat(np.arange(group_sizes.size), group_sizes)
    means = np.bincount(group, scores) / group_sizes
    spread = float(np.sqrt(np.mean((scores - means[group]) ** 2)))
    return spread or 1.0
