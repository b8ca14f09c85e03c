"""Networks in bytes: int8 products added up in 16 bits, a block of candidates through all layers; lossy.

Each 32-bit lane of a vector is a candidate. Four of its activations, unsigned bytes, are multiplied by four weights at
a time, and the sums of a run of such products stay in 16 bits for as long as the weights themselves rule out that
they overflow, whatever the activations are; only then are they widened. Without VNNI this is what bounds int8 kernels:
one that widens every product does half the products per instruction. A layer's outputs become bytes of the next grid
in the same lanes, so that a block of up to 128 candidates goes through all layers with each weight read once.

The network is quantised as for onnxruntime_int8: a float32 bundle when it is loaded, between the ranges that were kept
when it was trained, with weights of 7 bits; a bundle of `activations: static` or `qat` as it is. Scores are whole
numbers until the last step: every load compares them bit for bit with the same arithmetic in numpy, and every
instruction set gives the same.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.bundle import Bundle
from harness.engines._networks import refuses_grids
from harness.errors import EngineError
from harness.protocols import PluginOptions, Scorer
from harness.records import Manifest


class Options(PluginOptions):
    """Keys of the bytenet engine."""

    isa: Literal["auto", "avx512_vnni", "avx_vnni", "avx2", "baseline"] = Field(
        default="auto", description="instruction set of the kernel; auto: the best one this CPU has"
    )
    fallback: Literal["native", "none"] = Field(
        default="native", description="engine that scores where the kernel can't be compiled or the network can't go in"
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Needs a network with hidden layers, on grids or with known ranges."""
    return refuses_grids(manifest)


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Compile the kernel unless `cache_dir` has it, quantise the network unless it comes quantised, check its scores.

    Raises EngineError for an instruction set that the CPU lacks, for scores that are not those of the same numbers in
    numpy, and where there is to be no fallback; ModelError for a damaged network.
    """
    from harness.engines._networks import model_on_grids
    from harness.engines.bytenet.check import check
    from harness.engines.bytenet.library import KERNEL, obtain
    from harness.engines.bytenet.packing import pack
    from harness.engines.bytenet.scorer import ByteScorer

    isa = KERNEL.instruction_set(options.isa)
    started = time.perf_counter()
    model, bits = model_on_grids(bundle)
    read_s = time.perf_counter() - started
    try:
        library = obtain(isa, cache_dir)
        started = time.perf_counter()
        packed = pack(model, library.partial_bits, where=str(bundle.artefact))
    except EngineError as error:
        if options.fallback == "none":
            raise
        return _fallen_back(error, bundle, cache_dir)
    scorer = ByteScorer(packed, library)
    check(scorer, model, where=str(bundle.artefact))
    scorer.info = {
        **scorer.info,
        "lossy": f"hidden layers in int8: activations of 8 bits, weights of {bits}",
        "loaded_bytes": bundle.artefact.stat().st_size,
        "load_s": round(read_s + time.perf_counter() - started, 4),
    }
    return scorer


def _fallen_back(error: EngineError, bundle: Bundle, cache_dir: Path) -> Scorer:
    from harness.engines import native

    scorer = native.open(native.Options(), bundle, cache_dir)
    scorer.info = {**scorer.info, "fallback": "native", "fallback_reason": error.what}
    return scorer
