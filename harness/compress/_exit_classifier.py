"""The classifier of an early exit: which candidates have to stay, learnt by a small forest."""

from __future__ import annotations

import numpy as np

from harness.compress._exit_choice import Kept, Partials
from harness.early_exit import STANDING, standing
from harness.protocols import Compression
from harness.ranking_data import Features, Floats, RankingData
from harness.trees.forest import Forest
from harness.trees.gbdt_options import GbdtOptions
from harness.trees.lightgbm_fit import fit
from harness.trees.traverse import predict

_N_TREES, _N_LEAVES, _LEARNING_RATE, _MIN_ROWS = 10, 16, 0.3, 20


def learnt(lessons: Partials, sentinel: int, k: int, work: Compression, seed: int) -> Forest:
    """A forest of ten trees that tells those who have to stay (1) from those who may leave (0), in least squares.

    A candidate has to stay that has a positive grade and is among the k best by the whole forest. It weighs its gain,
    2^grade - 1, for what is lost with it; all others weigh 1. How candidates stand is learnt while all are still there:
    those that would have left at a sentinel before mostly stand below the others anyway.
    """
    data = lessons.data
    order = np.lexsort((-lessons.final, data.group_of_row))
    rank = np.empty(data.n_rows, dtype=np.int64)
    rank[order] = np.arange(data.n_rows) - data.offsets[:-1][data.group_of_row]
    needed = (rank < k) & (data.grades > 0)
    options = GbdtOptions(
        n_trees=_N_TREES, n_leaves=_N_LEAVES, learning_rate=_LEARNING_RATE, min_rows_per_leaf=_MIN_ROWS, seed=seed
    )
    names = (*data.feature_names, *STANDING)
    features = rows_for_classifier(lessons, sentinel, np.ones(data.n_rows, dtype=bool))
    rows = RankingData(data.name, features, data.grades, data.group_sizes, names)
    return fit(
        "regression",
        rows,
        needed.astype(np.float64),
        options,
        weights=np.where(needed, np.exp2(data.grades) - 1.0, 1.0),
        n_threads=work.n_threads,
        progress=lambda _: None,
    )


def judged(classifier: Forest, partials: Partials, sentinel: int, there: Kept) -> Floats:
    """What the classifier of a sentinel gives (n_there,) those rows that are still there, by `there` (n_rows,)."""
    return predict(classifier, rows_for_classifier(partials, sentinel, there))


def rows_for_classifier(partials: Partials, sentinel: int, there: Kept) -> Features:
    """The features (n_there, n_features + 4) that the classifier takes, as an engine makes them list by list."""
    data, partial = partials.data, partials.partial[sentinel].astype(np.float32)
    rows = [np.flatnonzero(there[own]) + own.start for own in map(data.rows_of, range(data.n_groups))]
    lists = [standing(partial[own], int(size)) for own, size in zip(rows, data.group_sizes, strict=True) if own.size]
    return np.concatenate([data.features[there], np.concatenate(lists)], axis=1)
