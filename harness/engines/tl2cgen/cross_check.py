"""Does a compiled library score like the reference? Tried on rows at thresholds, beside them, and not finite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import treelite

from harness.bundle import Bundle
from harness.engines._treelite import load_model
from harness.engines.tl2cgen.compiled import CompiledScorer
from harness.engines.tl2cgen.thresholds import thresholds_of
from harness.ranking_data import Features
from harness.scoring import reference_engine, reference_scorer
from harness.trees.forest import Forest, categories_of

N_ROWS = 512
_SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0], dtype=np.float32)
_LIGHTGBM_ZERO = np.float32(1e-35)  # LightGBM, and it alone, reads numbers up to this size as 0


def cross_check(library: Path, bundle: Bundle, forest: Forest, out: Path) -> dict[str, Any]:
    """What the check found; the probe and the reference's scores are kept in `out`, to check the library when loaded.

    References: Treelite's interpreter and, where the bundle has the file of its library, that library. EngineError
    where scores differ from either beyond rounding.
    """
    x = probe(forest)
    model = load_model(bundle)
    references = {"gtil": treelite.gtil.predict(model, x, nthread=1, pred_margin=True).reshape(-1).astype(np.float32)}
    if reference_engine(bundle.manifest) == "native":
        references["native"] = reference_scorer(bundle).score(x)
    scorer = CompiledScorer(library, forest.n_features)
    worst = max(scorer.check(x, expected, against=name) for name, expected in references.items())
    np.savez_compressed(out, x=x, expected=list(references.values())[-1])
    return {"checked_against": sorted(references), "checked_rows": len(x), "max_abs_difference": worst}


def probe(forest: Forest) -> Features:
    """(N_ROWS, n_features): thresholds, their neighbours in float32, categories, values far from them, not finite."""
    rng = np.random.default_rng(0)
    x = np.empty((N_ROWS, forest.n_features), dtype=np.float32)
    for feature, thresholds in enumerate(thresholds_of(forest)):
        with np.errstate(over="ignore"):
            at = rng.choice(thresholds if thresholds.size else np.zeros(1), N_ROWS).astype(np.float32)
            kinds = [
                at,
                np.nextafter(at, np.float32(np.inf)),
                np.nextafter(at, np.float32(-np.inf)),
                (at * rng.normal(scale=2.0, size=N_ROWS) + rng.normal(size=N_ROWS)).astype(np.float32),
                rng.choice(_SPECIAL, N_ROWS),
            ]
        x[:, feature] = np.choose(rng.integers(len(kinds), size=N_ROWS), kinds)
    for feature, categories in categories_of(forest.trees).items():
        listed = rng.choice(np.append(categories, categories.max(initial=0) + 1), N_ROWS)
        kinds = [listed, listed, listed + 0.5, rng.choice(_SPECIAL, N_ROWS)]
        x[:, feature] = np.choose(rng.integers(len(kinds), size=N_ROWS), kinds)
    x[np.abs(x) <= _LIGHTGBM_ZERO] = 0.0
    return x
