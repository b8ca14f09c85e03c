"""Export the load test of a scenario, to be run elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import registry
from harness.cache import Cache
from harness.errors import UsageError
from harness.load.candidates import candidate_rows
from harness.load.export import export
from harness.load.runner import Target
from harness.pipeline.data import candidates
from harness.protocols import Progress, RankingRequest
from harness.ranking_data import RankingData
from harness.records import COMPRESSED, TARGET
from harness.scenario import Access, Choice, Scenario, load_one, options
from harness.target.client import Client


@dataclass(frozen=True)
class Destination:
    """Where an exported load test goes: a URL (empty: the one of the scenario's target), perhaps on another host."""

    url: str
    remote: bool


def export_load_test(
    what: Path,
    overrides: Sequence[str],
    destination: Destination,
    folder: Path,
    n_workers: int,
    cache: Cache,
    progress: Progress,
) -> None:
    """Write the plan directory of a scenario's traffic; nothing is trained or measured.

    A target is asked only about what its adapter leaves open, such as the encoding. Raises UsageError and TargetError.
    """
    scenario = load_one(what, overrides)
    data, _ = candidates(scenario, cache, progress)
    target = _target(scenario, destination, data)
    progress(f"encoding {scenario.traffic.n_bodies} requests")
    export(scenario, data, target, folder, n_workers)


def _target(scenario: Scenario, destination: Destination, data: RankingData) -> Target:
    spec, traffic = scenario.target, scenario.traffic
    if spec is None:
        if not destination.url:
            raise UsageError("the scenario names no target", remedy="add --target-url, the full URL to ask")
        adapter = Choice.model_validate({"kind": "oip", "encoding": traffic.encoding})
        return Target(COMPRESSED, destination.url, adapter, Access(remote=destination.remote))
    url = destination.url or spec.url
    access = spec.access.model_copy(update={"remote": spec.remote or destination.remote})
    first = RankingRequest("probe", data.features[candidate_rows(data, traffic)[0]], data.feature_names)
    plugin, chosen = registry.adapter(spec.adapter.kind), options("adapters", spec.adapter)
    settled, _ = plugin.settle(chosen, Client(url, access, traffic.timeout_s), first)
    adapter = Choice.model_validate({"kind": spec.adapter.kind, **settled.model_dump(mode="json")})
    return Target(TARGET, url, adapter, access)
