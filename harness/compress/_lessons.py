"""What a teacher has to say to a network: its scores on real and synthetic documents, and the true labels beside them.

For a tree teacher the synthetic documents are drawn at the midpoints between its splits (Cohen et al., SIGIR 2018;
Nardini et al., "Distilled neural networks for efficient learning to rank", TKDE 2022); for any other they are
mixtures of two training rows. They belong to no query and have no label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.protocols import Compression
from harness.ranking_data import Features, RankingData

if TYPE_CHECKING:
    from harness.mlp.examples import Examples


def taught_by_teacher(work: Compression, *, synthetic_share: float, labels: bool, seed: int) -> Examples:
    """Train rows and synthetic documents with the teacher's scores, in units of their spread within query groups.

    Synthetic documents stand in groups of the median size. Raises ModelError where a score is not finite.
    """
    from harness.mlp.examples import Examples, gains_of
    from harness.scoring import score

    data = work.splits.train
    group_size = int(np.median(data.group_sizes))
    n_groups = round(data.n_rows * synthetic_share / (1 - synthetic_share) / group_size)
    documents = synthetic_documents(work, n_groups * group_size, np.random.default_rng(seed))
    scores = score(work.teacher, data.features)
    targets = np.concatenate([scores, score(work.teacher, documents)]) / spread(scores, data)
    if not np.isfinite(targets).all():
        raise ModelError(
            "the teacher gives a score that is not finite, which nothing can be taught from",
            where=str(work.teacher.path),
            remedy="check the teacher's scores on the train split, missing values included",
        )
    gains = np.concatenate([gains_of(data), np.zeros(documents.shape[0], np.float32)]) if labels else None
    return Examples(
        np.concatenate([data.features, documents]),
        targets.astype(np.float32, copy=False),
        np.concatenate([data.group_sizes, np.full(n_groups, group_size)]),
        gains=gains,
    )


def synthetic_documents(work: Compression, n: int, rng: np.random.Generator) -> Features:
    """n documents (n, n_features)."""
    from harness.mlp.synthetic import cross, draw, split_midpoints
    from harness.trees import artefacts
    from harness.trees.forest import categories_of, thresholds_by_split

    x = work.splits.train.features
    if work.teacher.manifest.format != "trees":
        return cross(x, n, rng)
    trees = artefacts.load(work.teacher).trees
    lists = split_midpoints(*thresholds_by_split(trees), x, categorical=categories_of(trees))
    return draw(lists, np.isnan(x).mean(axis=0), n, rng)


def spread(scores: NDArray[np.float32], data: RankingData) -> float:
    """Root mean squared deviation from the mean of the own query group; 1 where the scores do not differ."""
    return float(np.sqrt(np.mean(data.centred(scores) ** 2))) or 1.0
