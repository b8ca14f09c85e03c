"""A Treelite checkpoint: `model.treelite`, for Treelite 4 and what is built on it (GTIL, TL2cgen, FIL).

Trees of any origin, as the bundle holds them: nothing is converted, so all scores are those of the `gtil` engine.
Choose it for a service with Treelite, or to compile the trees elsewhere with TL2cgen.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.bundle import Bundle
from harness.records import Manifest

_FILE = "model.treelite"
USAGE = f"""\
import treelite
model = treelite.Model.deserialize("{_FILE}")
scores = treelite.gtil.predict(model, x, pred_margin=True).reshape(-1)
"""


def refuses(manifest: Manifest) -> str:
    """Any trees."""
    return "" if manifest.format == "trees" else f"Treelite holds trees, this bundle is {manifest.format}"


def write(bundle: Bundle, out: Path) -> None:
    """Copy the checkpoint that every bundle of trees has."""
    shutil.copyfile(bundle.artefact, out / _FILE)


def lacks() -> str:
    """Treelite is always there."""
    return ""
