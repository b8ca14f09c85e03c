"""What `harness bench` can be asked about: the ranker of a scenario, a bundle, a run's bundle, a model file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench.rows import made_up_rows, rotated
from harness.bundle import MANIFEST, Bundle, open_bundle
from harness.cache import Cache
from harness.errors import UsageError
from harness.pipeline.data import splits_of
from harness.pipeline.named_bundle import bundle_in
from harness.pipeline.no_data import bundle_of_file
from harness.pipeline.prepare import built
from harness.pipeline.run_dir import RunDir
from harness.protocols import Progress
from harness.ranking_data import Features, RankingData
from harness.scenario import SUFFIXES, Scenario, load_one

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
    if what.is_file() and what.suffix in SUFFIXES:
        return _of_scenario(load_one(what, overrides), what, longest, cache, progress)
    if overrides:
        raise UsageError(
            "changes the keys of a scenario, and this is none",
            where=f"--set {overrides[0]}",
            remedy="leave it out, or name a scenario file",
        )
    if what.is_file():
        bundle = bundle_of_file(what, cache, progress)
        return Benched(what.stem, bundle, made_up_rows(bundle, longest), _MADE_UP)
    if (what / MANIFEST).is_file():
        bundle = open_bundle(what)
        return Benched(what.resolve().name, bundle, made_up_rows(bundle, longest), _MADE_UP)
    if (what / "bundle" / MANIFEST).is_file():
        return _of_run(RunDir(what), longest, cache, progress)
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


def _of_run(run_dir: RunDir, longest: int, cache: Cache, progress: Progress) -> Benched:
    scenario = run_dir.scenario()
    return _with_data(scenario, bundle_in(run_dir.path), splits_of(scenario, cache, progress).test, longest)


def _with_data(scenario: Scenario, bundle: Bundle, data: RankingData, longest: int) -> Benched:
    rows = rotated(data.features, longest)
    if not data.graded:
        return Benched(scenario.name, bundle, rows, _MADE_UP, scenario)
    repeated = "" if rows.shape[0] == data.n_rows else f", repeated in other orders to {rows.shape[0]:,}"
    return Benched(scenario.name, bundle, rows, f"{data.n_rows:,} rows of the test split{repeated}", scenario)
