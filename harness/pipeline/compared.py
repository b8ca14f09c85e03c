"""What `harness compare A B` can compare: a bundle, a bundle with an engine, a run's bundle, a scenario, a URL."""

from __future__ import annotations

from pathlib import Path

from harness import registry
from harness.bundle import MANIFEST, Bundle, open_bundle
from harness.cache import Cache
from harness.errors import ModelError, UsageError
from harness.pipeline.members import Served
from harness.pipeline.prepare import built
from harness.pipeline.run_dir import RunDir
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.scenario import Choice, ExternalTarget, Scenario, load_one
from harness.scoring import reference_engine

Side = Served | ExternalTarget


def traffic_scenario(given: Path | None, named: list[str]) -> Scenario:
    """Whose requests both sides get: the given scenario, else the first of A and B that is or has one."""
    if given is not None:
        return load_one(given)
    for text in named:
        path, _ = _parts(text)
        if path.is_file():
            return load_one(path)
        if (path / "measurements.json").is_file():
            return RunDir(path).scenario()
    raise UsageError(
        "neither side says which requests to send",
        where=" ".join(named),
        remedy="name a scenario whose data and traffic to use: --scenario FILE",
    )


def side_of(letter: str, text: str, cache: Cache, progress: Progress) -> Side:
    """The side that `text` names, built where it is a scenario. Raises UsageError, and what opening it raises."""
    if text.startswith(("http://", "https://")):
        return ExternalTarget(url=text)
    path, engine = _parts(text)
    if path.is_file():
        scenario = load_one(path)
        if scenario.target is not None:
            return scenario.target
        _, steps = built(scenario, cache, progress)
        return _served(letter, steps[-1].bundle, engine or scenario.engine)
    if (path / MANIFEST).is_file():
        return _served(letter, open_bundle(path), engine)
    if (path / "bundle" / MANIFEST).is_file():
        return _served(letter, open_bundle(path / "bundle"), engine or RunDir(path).scenario().engine)
    raise UsageError(
        "is no bundle, scenario file, URL or run directory with a bundle that could be measured again",
        where=f"{letter} {text}",
        remedy="name DIR, DIR@ENGINE, SCENARIO or http://127.0.0.1:PORT/v2/models/NAME/infer",
    )


def check_width(side: Side, data: RankingData) -> None:
    """ModelError where a bundle scores other features than the data has."""
    if isinstance(side, Served) and side.bundle.manifest.n_features != data.n_features:
        raise ModelError(
            f"scores {side.bundle.manifest.n_features} features, the requests have {data.n_features}",
            where=f"{side.target} {side.bundle.path}",
            remedy="name the scenario that the bundle was built for: --scenario FILE",
        )


def _parts(text: str) -> tuple[Path, Choice | None]:
    """Path and engine of `PATH@ENGINE`; a path that exists may hold an @ itself."""
    before, at, after = text.rpartition("@")
    if not at or Path(text).exists():
        return Path(text), None
    registry.engine(after)
    return Path(before), Choice(kind=after)


def _served(letter: str, bundle: Bundle, engine: Choice | None) -> Served:
    return Served(letter, bundle, engine or Choice(kind=reference_engine(bundle.manifest)))
