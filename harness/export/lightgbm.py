"""LightGBM's text: `model.txt`, loaded by LightGBM itself.

For a service that has LightGBM already: the compressed model takes the place of the old file. Trees of XGBoost can take
this form too, rewritten in LightGBM's terms, where they have a counterpart. Scores are raw (no sigmoid).
"""

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
    """Any trees, whatever library grew them; what LightGBM can't say shows when they are written."""
    return "" if manifest.format == "trees" else f"LightGBM's text holds trees, this bundle is {manifest.format}"


def write(bundle: Bundle, out: Path) -> None:
    """The bundle's own text, else its trees in LightGBM's terms. ModelError for those that can't be put so."""
    from harness.trees import artefacts
    from harness.trees.formats.lightgbm_terms import in_lightgbm_terms
    from harness.trees.formats.lightgbm_text import to_text

    if bundle.manifest.source == "lightgbm":
        shutil.copyfile(bundle.file(artefacts.LIGHTGBM_TEXT), out / _FILE)
        return
    text = to_text(in_lightgbm_terms(artefacts.load(bundle)), objective="regression")
    (out / _FILE).write_text(text, encoding="ascii")


def lacks() -> str:
    """LightGBM is always there."""
    return ""
