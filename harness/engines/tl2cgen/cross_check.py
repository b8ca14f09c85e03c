"""Does a compiled library score like the reference? Tried on rows at thresholds, beside them, and not finite."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import treelite
from numpy.typing import NDArray

from harness.bundle import Bundle
from harness.engines._scorer import SUM_ROUNDING
from harness.engines._treelite import load_model
from harness.engines.tl2cgen.thresholds import thresholds_of
from harness.errors import EngineError
from harness.ranking_data import Features
from harness.scoring import reference_engine, reference_scorer
from harness.trees.forest import Forest

N_ROWS = 512
_SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0], dtype=np.float32)
_LIGHTGBM_ZERO = np.float32(1e-35)  # LightGBM, and it alone, reads numbers up to this size as 0


class _Scores(Protocol):
    def score(self, x: Features) -> NDArray[np.float32]: ...


def cross_check(scorer: _Scores, bundle: Bundle, forest: Forest) -> dict[str, Any]:
    """What the check found, for the scorer's info; EngineError where scores differ beyond rounding.

    References: Treelite's interpreter and, where the bundle has the file of its library, that library.
    """
    x = probe(forest)
    model = load_model(bundle)
    references = {"gtil": treelite.gtil.predict(model, x, nthread=1, pred_margin=True).reshape(-1)}
    if reference_engine(bundle.manifest) == "native":
        references["native"] = reference_scorer(bundle).score(x)
    found = scorer.score(x)
    worst = 0.0
    for name, expected in references.items():
        difference = np.abs(found - expected.astype(np.float32))
        limit = SUM_ROUNDING * float(np.abs(expected).max())
        if not (difference <= limit).all():
            row = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
            raise EngineError(
                f"the compiled model scores {found[row]!r} where {name} scores {expected[row]!r} (probe row {row})",
                where=str(bundle.path),
                remedy="use engine: gtil, or native where the bundle has its library's own file",
            )
        worst = max(worst, float(difference.max()))
    return {
        "tolerance": SUM_ROUNDING,
        "checked_against": sorted(references),
        "checked_rows": len(x),
        "max_abs_difference": worst,
    }


def probe(forest: Forest) -> Features:
    """(N_ROWS, n_features): thresholds, their neighbours in float32, values far from them, and values not finite."""
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
    x[np.abs(x) <= _LIGHTGBM_ZERO] = 0.0
    return x
