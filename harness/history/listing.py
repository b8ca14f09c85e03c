"""What lies in a folder of results: runs, studies and suites, the newest first, and what is under way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.history.index import Indexed, indexed
from harness.history.live import PROGRESS, Live, live_run

_PAGES = {
    "report.html": "run", "capacity.html": "capacity", "compare.html": "comparison", "bench.html": "engines",
}  # fmt: skip
_DEEPEST = 4


@dataclass(frozen=True)
class Entry:
    """A page: its name and path below the folder, what it is about, its verdict where it has one, and when (UTC)."""

    name: str
    path: str
    kind: str
    status: str
    created: str


@dataclass(frozen=True)
class Listing:
    """Pages, the newest first; runs under way, the newest first; what the index says of itself."""

    entries: tuple[Entry, ...]
    live: tuple[Live, ...]
    notes: tuple[str, ...]


def listed(root: Path) -> Listing:
    """Everything in the folder, down to four folders deep; links are not followed."""
    known = indexed(root)
    entries = sorted(_entries(root, known), key=lambda entry: (entry.created, entry.name), reverse=True)
    return Listing(tuple(entries), live_runs(root), (*known.notes, *known.problems))


def live_runs(root: Path) -> tuple[Live, ...]:
    """What is under way: folders where progress is told, and no page has been written."""
    found = [
        live
        for folder, files in _folders(root)
        if PROGRESS in files and not _PAGES.keys() & files and (live := live_run(root, folder)) is not None
    ]
    return tuple(sorted(found, key=lambda live: live.since_s))


def _entries(root: Path, known: Indexed) -> Iterator[Entry]:
    points = {point.run: point for point in known.points}
    for folder, files in _folders(root):
        page = next((page for page in _PAGES if page in files), None)
        if page is not None:
            path = folder.relative_to(root).as_posix()
            point = points.get(path)
            created = point.created if point else _written(folder / page)
            yield Entry(folder.name, f"{path}/{page}", _PAGES[page], point.status if point else "", created)
            continue
        for name in sorted(files):
            if name.endswith(".html") and f"{name.removesuffix('.html')}.json" in files:
                path = (folder / name).relative_to(root).as_posix()
                yield Entry(name.removesuffix(".html"), path, "suite", "", _written(folder / name))


def _folders(root: Path) -> Iterator[tuple[Path, set[str]]]:
    """Folders and the names of their files; a run is not looked into."""
    for folder, folders, files in os.walk(root):
        here, names = Path(folder), set(files)
        if here != root and (PROGRESS in names or _PAGES.keys() & names):
            folders.clear()
        deep = len(here.relative_to(root).parts) >= _DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))
        yield here, names


def _written(file: Path) -> str:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except OSError:
        return ""
