"""What bounds bytenet on this CPU: the least time of its products, of float32's, and what the engines reach.

    python tests/benchmarks/bytenet_bound.py BUNDLE_DIR [--n-candidates 100] [--seconds 10]

BUNDLE_DIR is a float32 network. Times are of interleaved calls on one core, in us per list: least, 5 %, median. The
products are as many multiply-adds as the network has, in registers throughout, float32 by 8 and bytes by 32;
`and widened` adds the products that end the network's own runs. Needs an x86 CPU with AVX2.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import numpy as np

from harness import registry
from harness.bench.calls import Effort, call_times_us
from harness.bundle import open_bundle
from harness.engines._networks import model_on_grids
from harness.engines.bytenet import library, packing
from harness.engines.bytenet.scorer import ByteScorer
from harness.environment import cpu_model
from harness.placement import available_cpus

FLOATS, BYTES, LANES = 8, 32, 8


class Part:
    """A call to be timed like an engine's."""

    def __init__(self, score: Callable[[np.ndarray], object]) -> None:
        self.score, self.info = score, {}


def parts_library(folder: Path) -> ctypes.CDLL:
    """The kernel with entry points for its parts, compiled as the engine compiles it for AVX2."""
    out, kernel = folder / "bytenet_bound.so", library.KERNEL.folder
    flags = ["-O3", "-std=gnu11", "-ffp-contract=off", *library.KERNEL.flags["avx2"], f"-I{kernel}", "-fPIC", "-shared"]
    subprocess.run(["gcc", *flags, "-o", str(out), str(Path(__file__).with_suffix(".c"))], check=True)
    functions = library.load(out)
    for products in (functions.byte_products, functions.float_products):
        products.argtypes, products.restype = (ctypes.c_int64,), None
    functions.inputs_alone.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    functions.inputs_alone.restype = None
    return functions


def lists(n: int, n_features: int) -> Iterator[np.ndarray]:
    """The same few random lists, over and over."""
    rng = np.random.default_rng(0)
    made = [rng.normal(size=(n, n_features)).astype(np.float32) for _ in range(20)]
    return (x for whole in repeat(made) for x in whole)


def main() -> None:
    """Compile, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--n-candidates", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()
    bundle, n = open_bundle(asked.bundle), asked.n_candidates
    with tempfile.TemporaryDirectory() as scratch_dir:
        functions = parts_library(Path(scratch_dir))
        packed = packing.pack(model_on_grids(bundle)[0], 16, str(asked.bundle))
        scorer = ByteScorer(packed, library.Library(functions, {}, cached=False))
        n_weights = int(sum(int(layer["n_groups"]) * int(layer["n_quads"]) * 16 for layer in packed.layers))
        vectors = -(-n // LANES)
        n_products, n_widened = n_weights // 4 * vectors, packed.runs.size * packing.QUAD * vectors
        scratch = np.zeros(functions.scratch_bytes(scorer._model), dtype=np.uint8)
        parts = {
            "float32 products": lambda x: functions.float_products(n_weights * n // FLOATS),
            "byte products": lambda x: functions.byte_products(n_products),
            "byte products and widened": lambda x: functions.byte_products(n_products + n_widened),
            "bytenet": scorer.score,
            "its inputs": lambda x: functions.inputs_alone(scorer._address, x.ctypes.data, len(x), scratch.ctypes.data),
        }
        for name in ("onnxruntime", "onnxruntime_int8"):
            engine = registry.engine(name)
            parts[name] = engine.open(engine.Options(), bundle, Path(scratch_dir)).score
        effort = Effort(asked.seconds, fewest=200, most=20_000)
        calls = lists(n, packed.n_features)
        times = call_times_us([Part(part) for part in parts.values()], calls, available_cpus()[-1:], effort)
    print(
        f"{cpu_model()}; {n} candidates, {n_weights:,} weights each with padding, "
        f"{packed.runs.size:,} runs of {n_weights / 16 / packed.runs.size:.1f} groups"
    )
    for name, us in zip(parts, times, strict=True):
        print(f"{name:28}" + "".join(f"{value:9.1f}" for value in np.quantile(us, [0, 0.05, 0.5])))


if __name__ == "__main__":
    main()
