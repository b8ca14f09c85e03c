"""Paths written in scenario files. Any text may stand there, so nothing here raises: what can't be is not found."""

# os.path answers False where pathlib raises: NUL, too long a name, lone surrogates.
# ruff: noqa: PTH112, PTH113, PTH207

from __future__ import annotations

import glob
import os
from pathlib import Path

from harness.errors import did_you_mean

SUFFIXES = (".yaml", ".yml")


def beside(file: Path, text: str) -> Path:
    """The path that `text` in `file` means, `..` resolved."""
    return Path(os.path.normpath(file.parent / text))


def is_file(path: Path) -> bool:
    """Whether there is such a file."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether there is such a folder."""
    return os.path.isdir(path)


def is_pattern(text: str) -> bool:
    """Whether `text` is a glob."""
    return glob.has_magic(text)


def scenario_files(folder: Path, pattern: str) -> list[Path]:
    """The YAML files in `folder` that a glob matches, sorted, but for those only there to be extended (`_` first)."""
    found = (Path(os.path.normpath(folder / name)) for name in glob.glob(pattern, root_dir=folder, recursive=True))
    return sorted(p for p in found if p.suffix in SUFFIXES and p.name[0] not in "_." and is_file(p))


def near_files(path: Path) -> str:
    """` (did you mean ...)` over the YAML files beside a path that does not exist."""
    return did_you_mean(path.name, (f.name for f in path.parent.glob("*.y*ml"))) if is_folder(path.parent) else ""
