"""Trees compiled to machine code: C by TL2cgen, gcc, and a batch loop of our own; kept in the cache.

Exact to the rounding of the sum, with quantised thresholds too: they only turn comparisons of numbers into comparisons
of their ranks. Every library is compared with the reference engine before it serves, on rows at and beside thresholds
(TL2cgen 1.0 reads checkpoints with Treelite 4.1, older than the one that wrote them), and refused where it differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.bundle import Bundle
from harness.protocols import PluginOptions, Scorer
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of the tl2cgen engine."""

    quantize: Literal["auto", True, False] = Field(
        default="auto",
        description="compare ranks of thresholds in place of numbers; auto: as the recipe's quantise step says",
    )
    opt_level: int = Field(
        default=2, ge=0, le=3, description="gcc -O level; 1 compiles in half the time of 2 and scores about 5 % slower"
    )


def refuses(options: Options, manifest: Manifest) -> str:  # noqa: ARG001
    """Any tree bundle will do."""
    return "" if manifest.format == "trees" else f"it compiles bundles of trees, this one is {manifest.format}"


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:  # noqa: A001
    """Compile the bundle unless `cache_dir` has it, load it, and check its scores. Raises EngineError."""
    from harness.engines.tl2cgen.build import obtain
    from harness.engines.tl2cgen.compiled import CompiledScorer
    from harness.engines.tl2cgen.cross_check import cross_check
    from harness.trees.artefacts import load

    forest = load(bundle)
    declared = bool(bundle.manifest.meta.get("quantise", {}).get("thresholds", False))
    quantize = declared if options.quantize == "auto" else options.quantize
    built = obtain(bundle, forest, quantize=quantize, opt_level=options.opt_level, cache_dir=cache_dir)
    scorer = CompiledScorer(built, forest.n_features)
    scorer.info = {**scorer.info, **cross_check(scorer, bundle, forest)}
    return scorer
