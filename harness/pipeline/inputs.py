"""The files of the user's that a scenario names: what they are like now, so that a changed one is told from the old."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.scenario import Scenario, resolved


def data_key(scenario: Scenario) -> dict[str, Any]:
    """What the scenario's data are made from; made-up candidates come from the ranker's file and the traffic."""
    asked = resolved(scenario)
    kept = ("data",) if scenario.has_data else ("ranker", "traffic")
    own = {name: asked[name] for name in kept if name in asked}
    return own | {"files": [[str(file), *_like(file)] for file in named_files(own)]}


def newest_s(scenario: Scenario) -> float:
    """When the youngest of all files that the scenario names was changed, in s since the epoch; 0 without any."""
    return max((file.stat().st_mtime for file in named_files(resolved(scenario))), default=0.0)


def named_files(value: Any) -> Iterator[Path]:
    """The files that exist under some name in a resolved scenario, and those of folders."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from named_files(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from named_files(inner)
    elif isinstance(value, str) and ("/" in value or "." in value):
        path = Path(value).expanduser()
        try:
            if path.is_file():
                yield path
            elif path.is_dir():
                yield from sorted(file for file in path.iterdir() if file.is_file())
        except OSError:  # no name of a file, or one that may not be looked at
            return


def _like(file: Path) -> tuple[int, int]:
    now = file.stat()
    return now.st_size, now.st_mtime_ns
