"""Treelite's General Tree Inference Library: interprets any tree bundle, compiles nothing.

Exact to the rounding of the sum: trees are added in the model's order and type, so a LightGBM model scores bit for bit
like LightGBM; XGBoost adds its base score first instead of last, which moves a float32 sum by some of its last bits.
Two inputs differ: LightGBM reads every |x| <= 1e-35 as 0, other engines compare it as it is; and to LightGBM a
category between -1 and 0 is 0, to other engines it is none.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.bundle import Bundle
from harness.engines._scorer import SUM_ROUNDING, LibraryScorer
from harness.protocols import PluginOptions, Scorer
from harness.ranking_data import Features
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of the gtil engine."""

    n_threads: int = Field(default=1, ge=1, le=256, description="threads that score one candidate list")


def refuses(options: Options, manifest: Manifest) -> str:
    """Any tree bundle will do."""
    return "" if manifest.format == "trees" else f"it scores bundles of trees, this one is {manifest.format}"


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Load the Treelite checkpoint. Raises EngineError."""
    import treelite

    from harness.engines._treelite import load_model

    started = time.perf_counter()
    model = load_model(bundle)
    info = {
        "library": f"treelite {treelite.__version__}",
        "threads": options.n_threads,
        "tolerance": SUM_ROUNDING,
        "float64": True,
        "loaded_bytes": bundle.artefact.stat().st_size,
        "load_s": round(time.perf_counter() - started, 4),
    }

    def predict(x: Features) -> NDArray[Any]:
        with np.errstate(over="ignore"):  # doubles beyond the range of a model of float32
            scores: NDArray[Any] = treelite.gtil.predict(model, x, nthread=options.n_threads, pred_margin=True)
            return scores

    return LibraryScorer(predict, info)
