"""Prepare: what a scenario declares, built, before anything serves it."""

from __future__ import annotations

from harness.cache import Cache
from harness.pipeline.build import Builder, Step
from harness.pipeline.data import load_data
from harness.placement import available_cpus
from harness.protocols import Progress
from harness.ranking_data import Splits
from harness.scenario import Scenario


def loaded(scenario: Scenario, cache: Cache, progress: Progress) -> Splits:
    """The scenario's data."""
    progress(f"data: {scenario.data.kind}")
    return load_data(scenario.data, cache)


def chain(scenario: Scenario, splits: Splits, cache: Cache, progress: Progress) -> list[Step]:
    """The scenario's bundles, teacher first, served last; from the cache where they are in it."""
    return Builder(cache, splits, scenario.sla.ndcg, len(available_cpus()), progress).chain(scenario)


def built(scenario: Scenario, cache: Cache, progress: Progress) -> tuple[Splits, list[Step]]:
    """The scenario's data and its bundles."""
    splits = loaded(scenario, cache, progress)
    return splits, chain(scenario, splits, cache, progress)
