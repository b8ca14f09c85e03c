"""Export the load test of a scenario, to be run elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cache import Cache
from harness.errors import UsageError
from harness.load.export import export
from harness.load.runner import Target
from harness.pipeline.data import load_data
from harness.pipeline.session import COMPRESSED
from harness.protocols import Progress
from harness.scenario import load


def export_load_test(
    what: Path, overrides: Sequence[str], url: str, folder: Path, n_workers: int, cache: Cache, progress: Progress
) -> None:
    """Write the plan directory of a scenario's traffic against the server at `url`; nothing is trained or measured."""
    loaded = load([what], overrides)
    if len(loaded) != 1:
        raise UsageError(f"holds {len(loaded)} scenarios; export takes one", where=str(what))
    scenario = loaded[0].scenario
    progress(f"data: {scenario.data.kind}")
    splits = load_data(scenario.data, cache)
    progress(f"encoding {scenario.traffic.n_bodies} requests")
    export(scenario, splits.test, Target(COMPRESSED, url), folder, n_workers)
