"""The site of a folder of results: its index, its history, what is under way, and the pages that lie there."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from harness.errors import UsageError
from harness.history.listing import listed, live_runs
from harness.history.live import Live
from harness.pipeline.history import history_of
from harness.report.html import render_history, render_site
from harness.site.files import TYPES
from harness.site.server import Site

_LIVE = TypeAdapter(tuple[Live, ...])


def site_of(root: Path, host: str, port: int) -> Site:
    """The site, listening and not yet serving. UsageError where there is no such folder, ServeError for the address."""
    if not root.is_dir():
        raise UsageError("no such folder", where=str(root), remedy="name the folder that holds run directories")
    html, json = TYPES[".html"], TYPES[".json"]
    pages = {
        "/": lambda: (html, render_site(listed(root), root.name)),
        "/history.html": lambda: (html, render_history(history_of(root), root)),
        "/live.json": lambda: (json, _LIVE.dump_json(live_runs(root)).decode()),
    }
    return Site(root, pages, host, port)
