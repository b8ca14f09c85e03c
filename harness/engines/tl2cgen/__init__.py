"""Trees compiled to machine code: C by TL2cgen, gcc, and a batch loop of our own; kept in the cache.

Exact to the rounding of the sum, with quantised thresholds too: they only turn comparisons of numbers into comparisons
of their ranks. Every library is compared with the reference engine on rows at and beside thresholds (TL2cgen 1.0 reads
checkpoints with Treelite 4.1, older than the one that wrote them), when compiled and each time it is loaded, and
refused where it differs. A server that loads one needs neither Treelite nor the library the model was trained with.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import numpy as np
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


def refuses(options: Options, manifest: Manifest) -> str:
    """Any tree bundle will do."""
    return "" if manifest.format == "trees" else f"it compiles bundles of trees, this one is {manifest.format}"


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Compile the bundle unless `cache_dir` has it, load it, and check its scores. Raises EngineError."""
    from harness.engines.tl2cgen.build import obtain
    from harness.engines.tl2cgen.compiled import CompiledScorer

    declared = bool(bundle.manifest.meta.get("quantise", {}).get("thresholds", False))
    quantize = declared if options.quantize == "auto" else options.quantize
    built = obtain(bundle, quantize=quantize, opt_level=options.opt_level, cache_dir=cache_dir)
    started = time.perf_counter()
    scorer = CompiledScorer(built.library, bundle.manifest.n_features)
    with np.load(built.probe, allow_pickle=False) as probe:
        scorer.check(probe["x"], probe["expected"], against="the reference")
    load_s = round(time.perf_counter() - started, 4)
    facts = {"cached": built.cached, "loaded_bytes": built.record["library_bytes"], "load_s": load_s}
    scorer.info = {**built.record, **facts, **scorer.info}
    return scorer
