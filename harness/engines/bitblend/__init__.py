"""Trees by byte blends: thresholds as ranks, a block of candidates per instruction, exact; no code per model.

A value becomes its rank among its feature's thresholds, one byte, so `x <= t` becomes a comparison of bytes. A block of
candidates goes through a tree from the leaves up: each split compares a row of ranks with its threshold and blends its
children's rows of leaf numbers, without a branch or a gather; the cost is the number of splits, whatever the depth.

QuickScorer (Lucchese et al., SIGIR 2015) finds the leaf as the first bit left in the conjunction of the bit vectors of
all false splits, feature by feature; V-QuickScorer (SIGIR 2016) does it for 8 candidates at a time, RapidScorer (Ye et
al., KDD 2018) for more of them by packing the bit vectors and merging equal splits. Those carry as many bits per
candidate and tree as it has leaves, and write them once per false split. Here a candidate carries one byte, all splits
are computed, true or false, and comparisons need the ranks of values, which are found once per feature.

Candidates that leave a forest early (`early_exit`) do so within the kernel: after each sentinel the ranks of those that
stay are moved together, so that fewer blocks go through the trees behind.

A bundle is read from `model.packed`, without Treelite: so little is read, and nothing else stays in memory. One that
has no such file, from before there was one, is read from its checkpoint. Leaves of a packed file keep large scores
within 1e-6; a list that has only small ones is off by more as a share of its largest, hence the wider tolerance.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from harness.bundle import Bundle
from harness.errors import EngineError
from harness.protocols import PluginOptions, Scorer
from harness.records import Manifest

if TYPE_CHECKING:
    from harness.early_exit import Exit


class Options(PluginOptions):
    """Keys of the bitblend engine."""

    isa: Literal["auto", "avx512", "avx2", "baseline"] = Field(
        default="auto", description="instruction set of the kernel; auto: the best one this CPU has"
    )
    n_threads: int = Field(
        default=1,
        ge=1,
        le=256,
        description="threads that score one candidate list, a block of it each; one alone lets candidates leave early "
        "within the kernel",
    )
    float64: bool = Field(
        default=False,
        description="take FP64 requests too, scored by the thresholds' full precision: reads the checkpoint, not "
        "the packed file, which is made for float32",
    )
    fallback: Literal["gtil", "none"] = Field(
        default="gtil", description="engine that scores where the kernel can't be compiled or the model can't go in"
    )


class NoKernelError(EngineError):
    """There is no kernel here, or none for such a model: what another engine may be able to score."""


def refuses(options: Options, manifest: Manifest) -> str:
    """Any tree bundle will do."""
    return "" if manifest.format == "trees" else f"it scores bundles of trees, this one is {manifest.format}"


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Compile the kernel unless `cache_dir` has it, read the bundle, and check its scores; else fall back.

    Raises EngineError for an instruction set that the CPU lacks, for scores that are not gtil's, and for what the
    fallback can't open either.
    """
    try:
        return _opened(options, bundle, cache_dir, None)
    except NoKernelError as error:
        if options.fallback == "none":
            raise
        return _fallen_back(error, options, bundle, cache_dir)


def open_early_exit(options: Options, bundle: Bundle, exits: Exit, cache_dir: Path) -> Scorer | None:
    """The whole forest of a bundle, left early inside the kernel; None for what only its parts can do.

    Those are classifiers, several threads for one list, and the fallback. Raises EngineError as `open` does.
    """
    if exits.rule != "proximity" or options.n_threads > 1:
        return None
    try:
        return _opened(options, bundle, cache_dir, exits)
    except NoKernelError:
        return None


def _opened(options: Options, bundle: Bundle, cache_dir: Path, exits: Exit | None) -> Scorer:
    from harness.engines.bitblend.check import check, check_leaving
    from harness.engines.bitblend.leaving import LeavingScorer
    from harness.engines.bitblend.library import KERNEL, obtain
    from harness.engines.bitblend.program import program_of
    from harness.engines.bitblend.scorer import BlendScorer
    from harness.engines.bitblend.source import forest_of

    isa = KERNEL.instruction_set(options.isa)
    started = time.perf_counter()
    source = forest_of(bundle, full=options.float64)
    read_s = time.perf_counter() - started
    try:
        library = obtain(isa, cache_dir)
        started = time.perf_counter()
        program = program_of(
            source.forest,
            permuted_leaves=library.permuted_leaves,
            lightgbm_zero=bundle.manifest.source == "lightgbm",
            where=str(source.path),
            sentinels=exits.sentinels if exits else (),
        )
    except EngineError as error:
        raise NoKernelError(error.what, where=error.where, remedy=error.remedy) from error
    scorer = BlendScorer(program, library, source.forest.n_features, options.n_threads)
    difference = check(scorer, source.forest, program, where=str(source.path))
    scorer.info = {
        **scorer.info,
        "tolerance": source.tolerance,
        "float64": source.full,
        "nodes": source.forest.n_nodes,
        "max_abs_difference": difference,
        "loaded": source.path.name,
        "loaded_bytes": source.path.stat().st_size,
        "load_s": round(read_s + time.perf_counter() - started, 4),
    }
    if exits is None:
        return scorer
    everyone = exits.model_copy(update={"cuts": (-math.inf,) * len(exits.cuts)})
    together = LeavingScorer(scorer, program, library, everyone)
    check_leaving(together, scorer, program, source.forest.n_features, where=str(source.path))
    return LeavingScorer(scorer, program, library, exits)


def _fallen_back(error: EngineError, options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    from harness.engines import gtil

    scorer = gtil.open(gtil.Options(n_threads=options.n_threads), bundle, cache_dir)
    scorer.info = {**scorer.info, "fallback": "gtil", "fallback_reason": error.what}
    return scorer
