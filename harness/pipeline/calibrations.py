"""Calibrations are kept in the cache, one file each, named by machine and time."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.cache import key_of
from harness.environment import identity
from harness.errors import HarnessError
from harness.records import Calibration

_FOLDER = "calibrations"


def keep(calibration: Calibration, cache_dir: Path) -> Path:
    """Write a calibration; where it is."""
    stamp = "".join(filter(str.isalnum, calibration.created))
    path = cache_dir / _FOLDER / f"{_machine(calibration.machine)}-{stamp}.json"
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(calibration.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise HarnessError(
            f"can't keep the calibration: {error.strerror or error}",
            where=str(path),
            remedy="set HARNESS_CACHE to a folder with room that you may write to",
        ) from error
    return path


def newest(cache_dir: Path) -> Calibration | None:
    """The latest calibration of this machine, else the latest of another that shares the cache; None without any.

    A file that can't be read counts as none.
    """
    own = _machine(identity())
    found = [known for path in (cache_dir / _FOLDER).glob("*.json") if (known := _read(path)) is not None]
    return max(found, key=lambda known: (_machine(known.machine) == own, known.created), default=None)


def _machine(machine: dict[str, object]) -> str:
    return key_of(machine)[:16]


def _read(path: Path) -> Calibration | None:
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
