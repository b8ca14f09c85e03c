"""XGBoost's JSON: `model.json`, loaded by XGBoost itself.

For a service that has XGBoost already. Only models that came from XGBoost can go back into this form, for the file also
states objective and features; export LightGBM's trees to `lightgbm`. Scores are margins.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.bundle import Bundle
from harness.records import Manifest

_FILE = "model.json"
USAGE = f"""\
import xgboost
booster = xgboost.Booster(model_file="{_FILE}")
scores = booster.inplace_predict(x, predict_type="margin", validate_features=False)
"""


def refuses(manifest: Manifest) -> str:
    """Trees that XGBoost grew, for its JSON also says with which objective and features."""
    if manifest.format != "trees":
        return f"XGBoost's JSON holds trees, this bundle is {manifest.format}"
    if manifest.source != "xgboost":
        grown = "LightGBM's; export them --to lightgbm" if manifest.source else "of no known library"
        return f"only a model that came from XGBoost goes back into its JSON, and these trees are {grown}"
    return ""


def write(bundle: Bundle, out: Path) -> None:
    """Copy the JSON that every bundle of XGBoost's trees has."""
    from harness.trees.artefacts import XGBOOST_JSON

    shutil.copyfile(bundle.file(XGBOOST_JSON), out / _FILE)


def lacks() -> str:
    """XGBoost is always there."""
    return ""
