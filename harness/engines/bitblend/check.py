"""Does the kernel score like the forest it was made of? Tried on every load, on rows at and beside thresholds.

The other side is a descent in numpy (`harness.trees.descent`), which shares nothing with the kernel: neither ranks nor
C. It needs no Treelite, whose import and model take more memory than all of the engine; that the forest is also what
Treelite reads is up to the tests.
"""

from __future__ import annotations

import numpy as np

from harness.engines._scorer import SUM_ROUNDING
from harness.engines.bitblend.leaving import LeavingScorer
from harness.engines.bitblend.program import REMEDY, Program
from harness.engines.bitblend.scorer import BlendScorer
from harness.errors import EngineError
from harness.ranking_data import Features
from harness.trees.descent import scores
from harness.trees.forest import Forest
from harness.trees.ranks import LIGHTGBM_ZERO

_N_ROWS = 64
_LISTED_SHARE = 0.8
_AWAY = np.array([-np.inf, np.inf], dtype=np.float32)
_SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0, -1.0], dtype=np.float32)


def check(scorer: BlendScorer, forest: Forest, program: Program, *, where: str) -> float:
    """Largest difference from the forest's scores; EngineError where it is more than rounding."""
    x = probe(program, forest.n_features)
    expected = scores(forest, x)
    difference = np.abs(scorer.score(x) - expected)
    if not (difference <= SUM_ROUNDING * np.abs(expected).max() + program.max_rounding).all():
        row = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
        raise EngineError(
            f"the kernel is off by {difference[row]} from the forest's score {expected[row]} (probe row {row})",
            where=where,
            remedy=REMEDY,
        )
    return float(difference.max())


def check_leaving(leaving: LeavingScorer, whole: BlendScorer, program: Program, n_features: int, *, where: str) -> None:
    """EngineError unless a list that nobody leaves has the very scores of one call for all trees."""
    x = probe(program, n_features)
    if not np.array_equal(leaving.score(x), whole.score(x)):
        raise EngineError("the kernel scores otherwise stage by stage", where=where, remedy=REMEDY)


def probe(program: Program, n_features: int) -> Features:
    """(_N_ROWS, n_features): thresholds, their neighbours in float32, categories, and values missing or not finite."""
    rng = np.random.default_rng(0)
    x = rng.choice(_SPECIAL, (_N_ROWS, n_features))
    for column, edges in zip(program.columns.columns, program.columns.edges, strict=True):
        at = rng.choice(edges, _N_ROWS)
        with np.errstate(over="ignore"):
            near = np.nextafter(at, rng.choice(_AWAY, _N_ROWS))
        x[:, column["feature"]] = np.choose(rng.integers(4, size=_N_ROWS), [at, near, at, x[:, column["feature"]]])
    for column in program.columns.categories.columns:
        categories = rng.integers(-1, column["n_categories"] + 1, _N_ROWS)
        feature = x[:, column["feature"]]
        x[:, column["feature"]] = np.where(rng.random(_N_ROWS) < _LISTED_SHARE, categories, feature)
    x[np.abs(x) <= LIGHTGBM_ZERO] = 0.0  # LightGBM's own reading, which the descent does not share
    return x
