"""A model file without data: a bundle of it alone, and made-up candidates to time and load it with.

No candidate has a grade, so nothing can be said of quality, and only methods that need no data may work on it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.bench.rows import made_up_rows
from harness.bundle import Bundle
from harness.cache import Cache
from harness.errors import ModelError
from harness.load.candidates import list_lengths
from harness.pipeline.build import Builder
from harness.placement import available_cpus
from harness.protocols import Progress
from harness.ranking_data import Features, RankingData, Splits
from harness.records import NdcgSpec
from harness.scenario import Choice, Scenario, options

_GROUP_ROWS = 100


def made_up_splits(scenario: Scenario, cache: Cache, progress: Progress) -> Splits:
    """Ungraded candidates between the thresholds of the scenario's model file, with missing values, as every split."""
    path = Path(options("rankers", scenario.ranker).model_dump()["path"]).expanduser()
    bundle = bundle_of_file(path, cache, progress)
    n_candidates, rng = scenario.traffic.n_candidates, np.random.default_rng(scenario.traffic.seed)
    longest = int(list_lengths(n_candidates, scenario.traffic.n_bodies, rng).max())
    return _splits(made_up_rows(bundle, longest, scenario.traffic.seed))


def bundle_of_file(path: Path, cache: Cache, progress: Progress) -> Bundle:
    """The user's file as a bundle, read by the `file` ranker; rows as wide as the model stand in for data."""
    x = np.random.default_rng(0).normal(size=(512, _width_of(path))).astype(np.float32)
    builder = Builder(cache, _splits(x), NdcgSpec(), len(available_cpus()), progress)
    bundle, _ = builder.train(Choice.model_validate({"kind": "file", "path": str(path.resolve())}))
    return bundle


def _width_of(path: Path) -> int:
    """How many features a file of trees takes."""
    from harness.trees.formats.foreign import require_file, tree_format_of, width_of

    require_file(path)
    kind = tree_format_of(path)
    if kind is None or path.suffix.lower() in (".pt", ".pth", ".ts", ".onnx"):
        raise ModelError(
            "not a file of trees, and only those tell how many features they take",
            where=str(path),
            remedy="name a scenario with its data and ranker: {kind: file, path: ...}",
        )
    return width_of(path, kind)


def _splits(x: Features) -> Splits:
    n = x.shape[0]
    sizes = np.diff(np.append(np.arange(0, n, _GROUP_ROWS), n)).astype(np.int64)
    names = tuple(f"made_up_{i}" for i in range(x.shape[1]))
    split = RankingData("made up", x, np.zeros(n, dtype=np.int32), sizes, names)
    return Splits(split, split, split)
