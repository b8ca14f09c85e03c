"""Prepare: what a scenario declares, built, before anything serves it."""

from __future__ import annotations

from harness.cache import Cache
from harness.pipeline.build import Builder, Step
from harness.pipeline.data import splits_of
from harness.pipeline.experience import Experience
from harness.pipeline.inputs import data_key
from harness.placement import available_cpus
from harness.protocols import Progress
from harness.ranking_data import Splits
from harness.scenario import Scenario


def chain(scenario: Scenario, splits: Splits, cache: Cache, progress: Progress) -> list[Step]:
    """The scenario's bundles, teacher first, served last; from the cache where they are in it."""
    Experience(cache).keep({"digest of": data_key(scenario)}, splits.digest)  # by which a plan finds the bundles again
    return Builder(cache, splits, scenario.sla.ndcg, len(available_cpus()), progress).chain(scenario)


def built(scenario: Scenario, cache: Cache, progress: Progress) -> tuple[Splits, list[Step]]:
    """The scenario's data and its bundles."""
    splits = splits_of(scenario, cache, progress)
    return splits, chain(scenario, splits, cache, progress)
