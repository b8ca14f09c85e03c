"""Does a compiled library score like the reference? Tried on rows at thresholds, beside them, and not finite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import treelite

from harness.bundle import Bundle
from harness.engines._treelite import load_model
from harness.engines.tl2cgen.compiled import CompiledScorer
from harness.scoring import reference_engine, reference_scorer
from harness.trees.forest import Forest
from harness.trees.probe_rows import probe


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
