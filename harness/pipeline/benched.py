"""What `harness bench` can be asked about: the ranker of a scenario, a bundle, a run's bundle, a model file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.bench.rows import made_up_rows, rotated
from harness.bundle import MANIFEST, Bundle, open_bundle
from harness.cache import Cache
from harness.errors import ModelError, UsageError
from harness.pipeline.build import Builder
from harness.pipeline.data import load_data
from harness.pipeline.prepare import built
from harness.pipeline.run_dir import RunDir
from harness.placement import available_cpus
from harness.protocols import Progress
from harness.ranking_data import Features, RankingData, Splits
from harness.records import NdcgSpec
from harness.scenario import Choice, Scenario, load_one

_SCENARIO_SUFFIXES = (".yaml", ".yml")
_MADE_UP = "random rows, between the thresholds of the model where it has some, with missing values"


@dataclass(frozen=True)
class Benched:
    """A bundle, and rows (n, n_features) to score that outgrow the cache; `candidates` says where they are from."""

    name: str
    bundle: Bundle
    rows: Features
    candidates: str
    scenario: Scenario | None = None


def benched(what: Path, overrides: Sequence[str], longest: int, cache: Cache, progress: Progress) -> Benched:
    """What was named, built where it has to be. Raises UsageError, and whatever building it raises."""
    if what.is_file() and what.suffix in _SCENARIO_SUFFIXES:
        return _of_scenario(load_one(what, overrides), what, longest, cache, progress)
    if overrides:
        raise UsageError("changes the keys of a scenario, and this is none", where=f"--set {overrides[0]}")
    if what.is_file():
        bundle = _of_model_file(what, cache, progress)
        return Benched(what.stem, bundle, made_up_rows(bundle, longest), _MADE_UP)
    if (what / MANIFEST).is_file():
        bundle = open_bundle(what)
        return Benched(what.resolve().name, bundle, made_up_rows(bundle, longest), _MADE_UP)
    if (what / "bundle" / MANIFEST).is_file():
        return _of_run(RunDir(what), longest, cache)
    raise UsageError(
        "is no scenario, bundle, run directory with a bundle, or model file",
        where=str(what),
        remedy="name SCENARIO.yaml, a folder with manifest.json, or a LightGBM, XGBoost, Treelite or packed file",
    )


def _of_scenario(scenario: Scenario, what: Path, longest: int, cache: Cache, progress: Progress) -> Benched:
    if scenario.target is not None:
        raise UsageError("its target is served by others", where=str(what), remedy="bench takes a bundle or a ranker")
    splits, steps = built(scenario, cache, progress)
    return _with_data(scenario, steps[-1].bundle, splits.test, longest)


def _of_run(run_dir: RunDir, longest: int, cache: Cache) -> Benched:
    scenario = run_dir.scenario()
    return _with_data(scenario, open_bundle(run_dir.path / "bundle"), load_data(scenario.data, cache).test, longest)


def _with_data(scenario: Scenario, bundle: Bundle, data: RankingData, longest: int) -> Benched:
    rows = rotated(data.features, longest)
    repeated = "" if rows.shape[0] == data.n_rows else f", repeated in other orders to {rows.shape[0]:,}"
    return Benched(scenario.name, bundle, rows, f"{data.n_rows:,} rows of the test split{repeated}", scenario)


def _of_model_file(path: Path, cache: Cache, progress: Progress) -> Bundle:
    """The user's file as a bundle, read by the `file` ranker; rows as wide as the model stand in for data."""
    splits = _stand_in(_width_of(path))
    builder = Builder(cache, splits, NdcgSpec(), len(available_cpus()), progress)
    bundle, _ = builder.train(Choice.model_validate({"kind": "file", "path": str(path.resolve())}))
    return bundle


def _width_of(path: Path) -> int:
    """How many features a file of trees takes."""
    import treelite

    from harness.trees.foreign import import_checkpoint, tree_format_of

    kind = tree_format_of(path)
    if kind is None or path.suffix.lower() in (".pt", ".pth", ".ts", ".onnx"):
        raise ModelError(
            "not a file of trees, and only those tell how many features they take",
            where=str(path),
            remedy="name a scenario with its data and ranker: {kind: file, path: ...}",
        )
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        checkpoint = Path(folder) / "model.treelite"
        import_checkpoint(path, kind, checkpoint)
        return int(treelite.Model.deserialize(checkpoint).num_feature)


def _stand_in(n_features: int) -> Splits:
    x = np.random.default_rng(0).normal(size=(512, n_features)).astype(np.float32)
    names = tuple(f"made_up_{i}" for i in range(n_features))
    grades, sizes = np.ones(len(x), dtype=np.int32), np.array([len(x)], dtype=np.int64)
    split = RankingData("made up", x, grades, sizes, names)
    return Splits(split, split, split)
