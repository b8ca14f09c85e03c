"""LightGBM's text: `model.txt`, loaded by LightGBM itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.bundle import Bundle
from harness.records import Manifest

_FILE = "model.txt"
USAGE = f"""\
import lightgbm
booster = lightgbm.Booster(model_file="{_FILE}")
scores = booster.predict(x, raw_score=True)
"""


def refuses(manifest: Manifest) -> str:
    """Trees, but not those that have to stay XGBoost's own."""
    if manifest.format != "trees":
        return f"LightGBM's text holds trees, this bundle is {manifest.format}"
    return "its trees are XGBoost's; export them --to xgboost" if manifest.source == "xgboost" else ""


def write(bundle: Bundle, out: Path) -> None:
    """The bundle's own text, else its trees written as one. ModelError for trees that LightGBM's text can't hold."""
    from harness.trees import artefacts
    from harness.trees.lightgbm_text import to_text

    if bundle.manifest.source == "lightgbm":
        shutil.copyfile(bundle.file(artefacts.LIGHTGBM_TEXT), out / _FILE)
    else:
        (out / _FILE).write_text(to_text(artefacts.load(bundle), objective="regression"), encoding="ascii")


def lacks() -> str:
    """LightGBM is always there."""
    return ""
