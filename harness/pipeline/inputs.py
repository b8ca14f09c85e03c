"""The files of the user's that a scenario names: what they are like now, so that a changed one is told from the old."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.scenario import Scenario, resolved

_WORDS = ("name", "description")
"""Keys of a scenario that name no file."""


def data_key(scenario: Scenario) -> dict[str, Any]:
    """What the scenario's data are made from; made-up candidates come from the ranker's file and the traffic."""
    asked = resolved(scenario)
    kept = ("data",) if scenario.has_data else ("ranker", "traffic")
    own = {name: asked[name] for name in kept if name in asked}
    return own | {"files": [[str(file), *_like(file)] for file in named_files(own)]}


def newest_s(scenario: Scenario) -> float:
    """When the last of all files that the scenario names was changed or put in place, in s since the epoch; else 0.

    A file that was moved or copied here with an old time of change is new here, which its inode tells.
    """
    asked = {name: value for name, value in resolved(scenario).items() if name not in _WORDS}
    return max((max(now.st_mtime, now.st_ctime) for now in _seen(asked)), default=0.0)


def named_files(value: Any) -> Iterator[Path]:
    """The files that exist under some name in a resolved scenario, and those of folders."""
    return (path for path in _named(value) if path.is_file())


def _named(value: Any) -> Iterator[Path]:
    """The files and folders that exist under some name, and the files of those folders."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner)
    elif isinstance(value, str) and value:
        try:
            path = Path(value).expanduser()
            if path.exists():
                yield path
            if path.is_dir():
                yield from sorted(file for file in path.iterdir() if file.is_file())
        except (OSError, ValueError, RuntimeError):  # no name of a file, or one that may not be looked at
            return


def _seen(asked: dict[str, Any]) -> Iterator[os.stat_result]:
    """What all that is named is like, and links to it."""
    for path in _named(asked):
        yield path.stat()
        yield path.lstat()


def _like(file: Path) -> tuple[int, int]:
    now = file.stat()
    return now.st_size, now.st_mtime_ns
