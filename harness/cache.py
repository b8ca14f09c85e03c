"""The cache: directories keyed by the SHA-256 of everything that went into them, put in place by one rename."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from harness import __version__
from harness.errors import HarnessError, ModelError

T = TypeVar("T")


def default_cache_dir() -> Path:
    """`$HARNESS_CACHE`, else the user's cache folder (XDG)."""
    explicit = os.environ.get("HARNESS_CACHE")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ranking-latency-harness"


def package_versions(*packages: str) -> dict[str, str]:
    """Installed versions, for keys and for the report; absent packages are left out."""
    found = {"harness": __version__}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def key_of(spec: Any) -> str:
    """SHA-256 of a JSON-able specification, independent of key order."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """A folder of finished directories. With `enabled=False` nothing is reused; results still have a place to be."""

    def __init__(self, root: Path, *, enabled: bool = True) -> None:
        self.root, self.enabled = root, enabled

    def obtain(
        self, room: str, key: str, build: Callable[[Path], object], reopen: Callable[[Path], T]
    ) -> tuple[T, bool]:
        """What `build` put into the entry's directory, or what `reopen` finds there, and whether it was reused.

        `build` writes into a fresh directory that takes the entry's name only once it has returned; an entry that
        `reopen` refuses (ModelError: damaged) is built anew.
        """
        final = self.root / room / key[:32]
        if self.enabled and final.is_dir():
            try:
                return reopen(final), True
            except ModelError:
                shutil.rmtree(final)
        work = self._fresh(final.parent)
        try:
            build(work)
            work.chmod(0o755)
            if final.is_dir():
                shutil.rmtree(final)
            work.rename(final)
        except OSError as error:
            raise HarnessError(
                f"can't write to the cache: {error.strerror or error}",
                where=str(final.parent),
                remedy="free some space, or set HARNESS_CACHE to a folder with room",
            ) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return reopen(final), False

    def _fresh(self, parent: Path) -> Path:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=".work-", dir=parent))
        except OSError as error:
            raise HarnessError(
                f"can't create a folder in the cache: {error.strerror or error}",
                where=str(parent),
                remedy="set HARNESS_CACHE to a folder you may write to",
            ) from error
