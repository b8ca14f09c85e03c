"""The child process of `foreign`: FORMAT PATH CHECKPOINT; prints {} or {"what", "remedy"} as JSON."""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path
from typing import Any

import treelite

from harness.errors import ModelError
from harness.trees.formats import packed
from harness.trees.formats.lightgbm_text import check_text
from harness.trees.formats.treelite_model import from_treelite, to_treelite

_CPP_PLACE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")
_MEMORY_BYTES = 4 << 30
_MEMORY_PER_FILE_BYTE = 64


def main(tree_format: str, path: Path, checkpoint: Path) -> dict[str, str]:
    """Write the checkpoint; what went wrong, or nothing."""
    limit = max(_MEMORY_BYTES, _MEMORY_PER_FILE_BYTE * path.stat().st_size)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        forest = packed.load(path) if tree_format == "packed" else from_treelite(_read(tree_format, path))
        to_treelite(forest).serialize(str(checkpoint))
    except ModelError as error:
        return {"what": error.what, "remedy": error.remedy}
    except treelite.TreeliteError as error:
        return {"what": f"can't be read as {tree_format}: {_reason(error)}", "remedy": ""}
    except (MemoryError, ValueError) as error:
        return {"what": f"can't be read as {tree_format}: {type(error).__name__} {error}", "remedy": ""}
    return {}


def _read(tree_format: str, path: Path) -> Any:
    if tree_format == "lightgbm":
        check_text(path.read_text(encoding="utf-8"), where=str(path))
        model = treelite.frontend.load_lightgbm_model(path)
        _open_in_lightgbm(path)
        return model
    if tree_format == "xgboost":
        return treelite.frontend.load_xgboost_model(path, format_choice="inspect", allow_unknown_field=True)
    return treelite.Model.deserialize(path)


def _open_in_lightgbm(path: Path) -> None:
    """LightGBM's own engine will read the file too, so it has to be able to."""
    import lightgbm

    try:
        lightgbm.Booster(model_file=str(path))
    except lightgbm.basic.LightGBMError as error:
        raise ModelError(f"LightGBM can't read it: {error}") from error


def _reason(error: Exception) -> str:
    """Treelite's message without the place in its C++ source."""
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return _CPP_PLACE.sub("", first).removeprefix("Check failed: ")


if __name__ == "__main__":
    fault = main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.write("\n" + json.dumps(fault) + "\n")
