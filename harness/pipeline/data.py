"""Data: the checked splits of a scenario's dataset, and where a load test's candidates come from."""

from __future__ import annotations

from typing import Any

from harness import registry
from harness.cache import Cache
from harness.load.candidates import random_candidates
from harness.pipeline.no_data import made_up_splits
from harness.protocols import Progress
from harness.ranking_data import RankingData, Splits
from harness.scenario import Choice, Scenario, options


def load_data(choice: Choice, cache: Cache) -> Splits:
    """Read or make the splits and check them; raises DataError."""
    plugin = registry.dataset(choice.kind)
    return plugin.load(options("datasets", choice), cache.root / "datasets").checked()


def splits_of(scenario: Scenario, cache: Cache, progress: Progress) -> Splits:
    """The scenario's data; made-up candidates without grades where it has a model file and no data."""
    if not scenario.has_data and scenario.target is None:
        progress("data: none, so candidates are made up and quality is not measured")
        return made_up_splits(scenario, cache, progress)
    progress(f"data: {scenario.data.kind}")
    return load_data(scenario.data, cache)


def describe_data(splits: Splits) -> dict[str, Any]:
    """Shapes and digest, for the report."""
    if not splits.test.graded:
        made_up = "made up between the thresholds of the model; the scenario has no data"
        return {"candidates": made_up, "n_features": splits.test.n_features, "digest": splits.digest}
    shapes = {
        split.name: {"rows": split.n_rows, "groups": split.n_groups}
        for split in (splits.train, splits.valid, splits.test)
    }
    return {"splits": shapes, "n_features": splits.test.n_features, "digest": splits.digest}


def candidates(scenario: Scenario, cache: Cache, progress: Progress) -> tuple[RankingData, dict[str, Any]]:
    """What to ask a target to rank, and what the report says of it: the test split, or random candidates."""
    if not scenario.has_data:
        data = random_candidates(scenario.traffic)
        return data, {"candidates": "random, standard normal", "n_features": data.n_features}
    progress(f"data: {scenario.data.kind}")
    splits = load_data(scenario.data, cache)
    return splits.test, describe_data(splits)
