"""Paths in a dataset's options: one file or several, plain or gzipped, and the errors where they can't be read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, cast

from pydantic import Field

from harness.errors import DataError

Paths = Annotated[Path, Field()] | Annotated[tuple[Path, ...], Field(min_length=1)]
"""One path, or a list of paths whose rows are read one after the other."""


def listed(paths: Paths | None) -> tuple[Path, ...]:
    """The paths as a tuple, `~` expanded; empty for None."""
    if paths is None:
        return ()
    return tuple(path.expanduser() for path in (paths if isinstance(paths, tuple) else (paths,)))


def require_files(paths: tuple[Path, ...], key: str) -> None:
    """DataError for the first path that is not a file; `key` is the option that names it."""
    for path in paths:
        if not path.is_file():
            raise DataError(
                "is a folder, not a file" if path.is_dir() else "no such file",
                where=str(path),
                remedy=f"correct data.{key} in the scenario, or set the environment variable its path is made of",
            )


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain or gzipped (`.gz`) file; what goes wrong while it is read becomes a DataError that names it."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield cast("IO[bytes]", file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"broken gzip file: {error}", where=str(path), remedy="copy or download it again") from error
    except OSError as error:
        raise DataError(
            f"can't be read: {error.strerror or error}", where=str(path), remedy="check the disk and your permissions"
        ) from error


def fingerprint(path: Path) -> tuple[str, int, int]:
    """Absolute path, bytes and modification time in ns: changes whenever the content may have."""
    stat = path.stat()
    return str(path.resolve()), stat.st_size, stat.st_mtime_ns
