"""Compiled libraries in the cache: one process builds while others wait, and a damaged entry is built anew."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.bundle import sha256_of
from harness.errors import EngineError, ModelError

_RECORD = "build.json"


def finish(work: Path, record: dict[str, Any], files: Sequence[str]) -> None:
    """Write what was recorded of a build, with the digests of its `files`, into its cache entry."""
    digests = {name: sha256_of(work / name) for name in files}
    (work / _RECORD).write_text(json.dumps({**record, "files": digests}, indent=1), encoding="utf-8")


def reopen(entry: Path) -> tuple[Path, dict[str, Any]]:
    """A cache entry and its record; ModelError where it is damaged, so that it is built anew."""
    try:
        record: dict[str, Any] = json.loads((entry / _RECORD).read_bytes())
        damaged = [name for name, digest in record.pop("files").items() if sha256_of(entry / name) != digest]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"not a finished build: {error}", where=str(entry)) from error
    if damaged:
        raise ModelError(f"{', '.join(damaged)} does not match its digest", where=str(entry))
    return entry, record


@contextlib.contextmanager
def one_at_a_time(cache_dir: Path, engine: str) -> Iterator[None]:
    """Let one process compile while others (workers of one server) wait and then find its library in the cache."""
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        lock = (cache_dir / f".{engine}.lock").open("wb")
    except OSError as error:
        raise EngineError(
            f"can't write compiled code: {error.strerror or error}",
            where=str(cache_dir),
            remedy="free some space, or set HARNESS_CACHE to a folder you may write to",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed, by the process's death at the latest
        yield
