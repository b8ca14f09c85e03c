"""Which file a path of the site means, and with which headers it is sent."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import unquote

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".prom": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".xml": "text/xml; charset=utf-8",
    ".yaml": "text/plain; charset=utf-8",
}
"""Files that are sent, by their ending; samples and logs are not."""
_OF_A_RUN = ("scenario.yaml", "measurements.json")
"""A folder with one of them is of one run: what lies in its folders, such as the bundle, is not sent."""
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
_CLOSED = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def headers(content_type: str, *, own: bool) -> dict[str, str]:
    """Headers of an answer. A page of a run may have come from anywhere: it runs its scripts in a box, without the
    site's origin, and asks no one. Pages of our `own` making may ask the site for what is under way."""
    extra = "connect-src 'self'; " if own else "sandbox allow-scripts; "
    return {"Content-Type": content_type, "Content-Security-Policy": _POLICY + extra + _CLOSED, **_ALWAYS}


def path_of(target: str) -> str:
    """The path that a request's target asks for, without a query, unescaped."""
    return unquote(target.partition("?")[0])


def file_of(root: Path, path: str) -> Path | None:
    """The file of a path below `root`, or None: where there is none, its kind is not sent, or it lies elsewhere.

    `..`, hidden names, folders of a run and links that lead out of `root` are as if they were not there.
    """
    parts = PurePosixPath(path.lstrip("/")).parts
    if not parts or "\0" in path or "\\" in path or any(part.startswith(".") for part in parts):
        return None
    try:
        file = root.joinpath(*parts).resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    top = root.resolve()
    if not file.is_relative_to(top) or file.suffix not in TYPES or not file.is_file():
        return None
    above = (folder for folder in file.parent.parents if folder.is_relative_to(top))
    return None if any((folder / name).is_file() for folder in above for name in _OF_A_RUN) else file
