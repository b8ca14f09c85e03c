"""Scores of a bundle outside any server: the reference that quality and other engines are measured against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import registry
from harness.bundle import Bundle
from harness.errors import ModelError
from harness.ndcg import ndcg
from harness.opening import open_engine
from harness.protocols import Scorer
from harness.ranking_data import Features, Floats, RankingData
from harness.records import Manifest, NdcgSpec

_BLOCK_ROWS = 16_384
Sizes = NDArray[np.int64]


def reference_engine(manifest: Manifest) -> str:
    """The engine whose scores define a bundle: its own library where that can read it, else Treelite's interpreter."""
    for name in ("native", "gtil", "onnxruntime"):
        plugin = registry.engine(name)
        if not plugin.refuses(plugin.Options(), manifest):
            return name
    raise ModelError(f"no engine can score a bundle of format {manifest.format!r}")


def reference_scorer(bundle: Bundle) -> Scorer:
    """A single-threaded scorer of the reference engine (which compiles nothing, so it needs no cache directory)."""
    plugin = registry.engine(reference_engine(bundle.manifest))
    return open_engine(plugin, plugin.Options(), bundle, Path())


def score(bundle: Bundle, x: Features, group_sizes: Sizes | None = None) -> NDArray[np.float32]:
    """Reference scores (n,) of x (n, n_features), by `scores_of`."""
    return scores_of(reference_scorer(bundle), x, group_sizes)


def rightful_scores(scorer: Scorer, x: Features) -> list[NDArray[np.float32]]:
    """Scores (n,) that one candidate list x may have, by a reference scorer, of which the first are its own.

    There are several where candidates leave early and rounding decides, engine by engine, whether one does.
    """
    either_way = getattr(scorer, "score_either_way", None)
    return [scorer.score(x)] if either_way is None else either_way(x)


def scores_of(scorer: Scorer, x: Features, group_sizes: Sizes | None = None) -> NDArray[np.float32]:
    """Scores (n,) of x (n, n_features), in blocks that bound the memory.

    Where scores depend on the whole candidate list, each group of `group_sizes` (n_groups,) is one list, all of x
    without them.
    """
    starts = np.arange(0, x.shape[0], _BLOCK_ROWS)
    if scorer.info.get("whole_lists"):
        starts = np.zeros(1, np.int64) if group_sizes is None else np.cumsum(group_sizes) - group_sizes
    ends = np.append(starts, x.shape[0])[1:]
    blocks = [scorer.score(x[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.float32)


def quality(bundle: Bundle, data: RankingData, spec: NdcgSpec) -> Floats:
    """NDCG@k of each query group, shape (n_groups,)."""
    return ndcg(score(bundle, data.features, data.group_sizes), data, spec)
