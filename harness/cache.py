"""The cache: directories keyed by the SHA-256 of everything that went into them, put in place by one rename.

While an entry is built it lies in a folder `.work-*`, locked by its process for as long as that lives; what a killed
process has left is removed when the next entry of the same room is built.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from harness import __version__
from harness.errors import HarnessError, ModelError

T = TypeVar("T")
_WORK, _LOCK, _ROOM_LOCK = ".work-", "lock", ".lock"


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
        `reopen` refuses (ModelError: damaged) is built anew. One that another process has finished meanwhile stands,
        for that may be using it.
        """
        final = self.entry(room, key)
        if self.enabled and (found := _opened(final, reopen)) is not None:
            return found[0], True
        with _workplace(final.parent) as work:
            try:
                build(work)
                with _gate(final.parent):
                    if self.enabled and (found := _opened(final, reopen)) is not None:
                        return found[0], False
                    if final.is_dir():  # moved, not deleted: its name is not without an entry for longer than it takes
                        final.rename(work.parent / "replaced")
                    work.rename(final)
            except OSError as error:
                raise HarnessError(
                    f"can't write to the cache: {error.strerror or error}",
                    where=str(final.parent),
                    remedy="free some space, or set HARNESS_CACHE to a folder with room",
                ) from error
        return reopen(final), False

    def entry(self, room: str, key: str) -> Path:
        """Where an entry is, or would be."""
        return self.root / room / key[:32]


def _opened(entry: Path, reopen: Callable[[Path], T]) -> tuple[T] | None:
    """What `reopen` finds; None where there is no entry, or a damaged one."""
    if not entry.is_dir():
        return None
    try:
        return (reopen(entry),)
    except ModelError:
        return None


@contextmanager
def _gate(room: Path) -> Iterator[None]:
    """Let one process at a time change what a room holds."""
    with (room / _ROOM_LOCK).open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


@contextmanager
def _workplace(room: Path) -> Iterator[Path]:
    """A new folder to build an entry in, gone afterwards with its surroundings unless it was moved away."""
    try:
        room.mkdir(parents=True, exist_ok=True)
        with _gate(room):  # so that no folder is seen before it is locked
            _remove_left_behind(room)
            around = Path(tempfile.mkdtemp(prefix=_WORK, dir=room))
            lock = (around / _LOCK).open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        work = around / "entry"
        work.mkdir()
    except OSError as error:
        raise HarnessError(
            f"can't create a folder in the cache: {error.strerror or error}",
            where=str(room),
            remedy="set HARNESS_CACHE to a folder you may write to",
        ) from error
    with lock:
        try:
            yield work
        finally:
            shutil.rmtree(around, ignore_errors=True)


def _remove_left_behind(room: Path) -> None:
    """Remove the folders whose builders are gone: the kernel has released their locks."""
    for around in room.glob(f"{_WORK}*"):
        try:
            with (around / _LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(around, ignore_errors=True)
        except FileNotFoundError:  # killed before it had a lock
            shutil.rmtree(around, ignore_errors=True)
        except BlockingIOError:
            continue
