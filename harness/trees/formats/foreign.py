"""Tree models in files that others wrote: found out about and read in a process of their own.

The libraries' readers trust their input: a damaged Treelite checkpoint can hang one or take the process down with it.
So a child process reads the file, checks every tree, and writes a checkpoint that is known to be sound.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from harness.errors import ModelError, did_you_mean
from harness.trees.formats.packed.header import MAGIC

TreeFormat = Literal["lightgbm", "xgboost", "treelite", "packed"]
_TIMEOUT_S = 300.0
_DAMAGED = "the file is damaged or no such model: save it again with the library that trained it"
_SUFFIXES: dict[str, TreeFormat] = {
    ".txt": "lightgbm",
    ".json": "xgboost",
    ".ubj": "xgboost",
    ".treelite": "treelite",
    ".tl": "treelite",
    ".packed": "packed",
}


def require_file(path: Path) -> None:
    """ModelError, with the near miss beside it, where there is no such model file or nothing in it."""
    if not path.is_file():
        beside = [other.name for other in path.parent.iterdir() if other.is_file()] if path.parent.is_dir() else []
        raise ModelError(
            "no such model file" + did_you_mean(path.name, beside), where=str(path), remedy="check its path"
        )
    if path.stat().st_size == 0:
        raise ModelError("the model file is empty", where=str(path), remedy="save the model again")


def tree_format_of(path: Path) -> TreeFormat | None:
    """Which library wrote a file, by its suffix, else by its first bytes; None where neither tells."""
    if path.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[path.suffix.lower()]
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(b"tree"):
        return "lightgbm"
    if head.startswith(b"{"):
        return "xgboost"
    if head.startswith(MAGIC):
        return "packed"
    return "treelite" if head[:4] in (b"\x03\0\0\0", b"\x04\0\0\0") else None


def width_of(path: Path, tree_format: TreeFormat) -> int:
    """How many features a file of trees takes; ModelError where it can't be read."""
    import treelite

    with tempfile.TemporaryDirectory(prefix="harness-file-") as folder:
        checkpoint = Path(folder) / "model.treelite"
        import_checkpoint(path, tree_format, checkpoint)
        return int(treelite.Model.deserialize(checkpoint).num_feature)


def import_checkpoint(path: Path, tree_format: TreeFormat, checkpoint: Path) -> None:
    """Read `path` in a child process and write it as a Treelite checkpoint; ModelError where it can't be read."""
    command = [sys.executable, "-m", "harness.trees.formats.import_foreign", tree_format, str(path), str(checkpoint)]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"reading it as {tree_format} did not end in {_TIMEOUT_S:.0f} s", where=str(path), remedy=_DAMAGED
        ) from error
    lines = child.stdout.strip().splitlines()
    if child.returncode == 0 and lines:
        fault = json.loads(lines[-1])
        if fault:
            raise ModelError(fault["what"], where=str(path), remedy=fault["remedy"] or _DAMAGED)
        return
    last = (child.stderr.strip().splitlines() or ["without a word"])[-1]
    how = f"signal {-child.returncode}" if child.returncode < 0 else f"status {child.returncode}"
    raise ModelError(f"reading it as {tree_format} crashed ({how}, {last})", where=str(path), remedy=_DAMAGED)
