"""What bounds bitblend: its parts by themselves, bytes and instructions per split, and the share of the least time.

    python tests/benchmarks/blend_bound.py
    python tests/benchmarks/blend_bound.py --models lgb-300x64 --n-candidates 100 500 --isa avx2

Times are medians of interleaved calls on one core, in ns per candidate and tree. `registers` is a comparison for each
split of the model with a blend, or a decrement above two leaves, on vectors that never leave their registers: no way of
computing all splits takes less.
Lists rotate over more rows than fit in the second-level cache, as in engines.py.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from engines import MODELS, bundle_of, candidate_lists

from harness.engines.bitblend import library, program
from harness.engines.bitblend.scorer import BlendScorer
from harness.environment import cpu_model
from harness.trees import artefacts

LANES = {"avx512": 64, "avx2": 32, "baseline": 16}
SECONDS = 1.0


def parts_library(isa: str, folder: Path) -> ctypes.CDLL:
    """The kernel with entry points for its parts, compiled as the engine compiles it."""
    out = folder / f"blend_bound_{isa}.so"
    kernel = library.KERNEL.folder
    flags = ["-O3", "-std=gnu11", "-ffp-contract=off", *library.KERNEL.flags[isa], f"-I{kernel}", "-fPIC", "-shared"]
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["gcc", *flags, "-o", str(out), str(source), "-lm"], check=True)
    functions = library.load(out)
    functions.registers_alone.argtypes = (ctypes.c_int64, ctypes.c_int64)
    functions.registers_alone.restype = ctypes.c_int64
    functions.ranks_alone.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    functions.ranks_alone.restype = None
    return functions


def without(scorer: BlendScorer, **changes: object) -> library.CModel:
    """The scorer's model with other fields."""
    model = library.CModel.from_buffer_copy(scorer.model)
    for name, value in changes.items():
        setattr(model, name, value)
    return model


@dataclass(frozen=True)
class Counts:
    """What a program does for each vector of candidates: splits, vector instructions, and lanes loaded or stored."""

    blends: int
    decrements: int
    instructions: int
    lanes_moved: int

    @property
    def splits(self) -> int:
        """Comparisons."""
        return self.blends + self.decrements


def counts_of(laid_out: program.Program) -> Counts:
    """Counted from the program.

    A top: two loads, a comparison with a third, a blend, a store. A bottom: a comparison with a load for each of its 1
    to 3 splits, a decrement for each pair or for its leaves, a blend where it has a pair, a store.
    """
    tops = laid_out.tops.size
    leaves, right, left, both = laid_out.groups["n_bottoms"].sum(axis=0).tolist()
    pairs = right + left
    return Counts(
        blends=tops + pairs + both,
        decrements=leaves + pairs + 2 * both,
        instructions=5 * tops + 3 * leaves + 5 * pairs + 7 * both,
        lanes_moved=4 * tops + 2 * leaves + 3 * pairs + 4 * both,
    )


def timed(calls: dict[str, Callable[[np.ndarray], object]], n: int) -> dict[str, float]:
    """Median seconds of each call on the same lists, in turn."""
    lists, times = candidate_lists(n), {name: [] for name in calls}
    deadline = time.perf_counter() + SECONDS
    while time.perf_counter() < deadline or len(times[next(iter(calls))]) < 15:
        x = np.ascontiguousarray(next(lists))
        for name, call in calls.items():
            started = time.perf_counter()
            call(x)
            times[name].append(time.perf_counter() - started)
    return {name: float(np.median(own)) for name, own in times.items()}


def report(name: str, isa: str, lengths: list[int], folder: Path) -> None:
    """Print the parts of one model."""
    bundle = bundle_of(name, folder)
    forest = artefacts.load(bundle)
    kernel = library.Library(parts_library(isa, folder), {}, cached=False)
    laid_out = program.program_of(
        forest, permuted_leaves=kernel.permuted_leaves, lightgbm_zero=name.startswith("lgb"), where=name
    )
    scorer = BlendScorer(laid_out, kernel, forest.n_features)
    silent = laid_out.groups.copy()
    silent["n_trees"] = 0  # no sums
    trees = without(scorer, n_columns=0, n_category_columns=0)
    blends = without(scorer, n_columns=0, n_category_columns=0, groups=silent.ctypes.data)
    functions, scratch = kernel.functions, scorer._scratch.take()
    counts, n_trees = counts_of(laid_out), len(forest.trees)
    instructions, lanes_moved = counts.instructions / counts.splits, counts.lanes_moved / counts.splits
    print(
        f"\n{name}, {isa}: {counts.splits} splits, {instructions:.2f} vector instructions and {lanes_moved:.2f} x "
        f"{LANES[isa]} bytes per split and vector, {laid_out.table_bytes / 1e3:.0f} kB of tables"
    )
    print("      n   whole   ranks  blends  leaves   registers  registers/blends")
    for n in lengths:
        scores = np.empty(n, dtype=np.float32)
        vectors = -(-n // LANES[isa])

        def run(model: library.CModel, x: np.ndarray, out: np.ndarray = scores) -> None:
            functions.score(ctypes.addressof(model), x.ctypes.data, 0, len(x), scratch.address, out.ctypes.data)

        found = timed(
            {
                "whole": scorer.score,
                "ranks": lambda x: functions.ranks_alone(
                    ctypes.addressof(scorer.model), x.ctypes.data, len(x), scratch.address
                ),
                "trees": lambda x: run(trees, x),
                "blends": lambda x: run(blends, x),
                "registers": lambda x, times=vectors: functions.registers_alone(
                    counts.blends * times, counts.decrements * times
                ),
            },
            n,
        )
        found["leaves"] = found["trees"] - found["blends"]
        ns = {part: 1e9 * seconds / (n * n_trees) for part, seconds in found.items()}
        print(
            f"  {n:5d} {ns['whole']:7.3f} {ns['ranks']:7.3f} {ns['blends']:7.3f} {ns['leaves']:7.3f} "
            f"{ns['registers']:11.3f} {ns['registers'] / ns['blends']:17.0%}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--n-candidates", nargs="+", type=int, default=[20, 100, 500])
    parser.add_argument("--isa", choices=library.KERNEL.supported(), default=library.KERNEL.supported()[0])
    parser.add_argument(
        "--dir", type=Path, default=Path(tempfile.gettempdir()) / "engine-benchmark", help="kept models"
    )
    arguments = parser.parse_args()
    for name in arguments.models:
        bundle_of(name, arguments.dir)
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    print(f"{cpu_model()}, core {core}; ns per candidate and tree")
    for name in arguments.models:
        report(name, arguments.isa, arguments.n_candidates, arguments.dir)


if __name__ == "__main__":
    main()
