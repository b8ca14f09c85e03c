"""Packed bundles: bytes beside the Treelite checkpoint, what each choice of the format saves, load time and memory.

    python tests/benchmarks/packed.py BUNDLE_DIR...
    python tests/benchmarks/packed.py --models lgb-300x64 xgb-300x6   # trained as tests/benchmarks/engines.py does

Bits are per node. `fixed` is the plain way: a bit for a node's kind, whole bits for a feature and for a rank, 32 bits
for a threshold and a leaf. Loading is timed in a fresh process each, and memory is what it adds to the resident set of
one that has imported numpy.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from engines import MODELS, bundle_of

from harness.bundle import Bundle, open_bundle
from harness.trees import artefacts
from harness.trees.forest import Forest
from harness.trees.formats import packed
from harness.trees.formats.packed.bits import BitWriter, bit_length
from harness.trees.formats.packed.leaves import write_leaves
from harness.trees.formats.packed.level_order import columns_of, shape_of
from harness.trees.formats.packed.shape import write_shape
from harness.trees.formats.packed.splits import write_splits
from harness.trees.formats.packed.tables import write_columns
from harness.trees.joined import Joined
from harness.trees.traverse import predict

LOAD = """
import sys, time, psutil, numpy
from pathlib import Path
from harness.bundle import open_bundle
from harness.engines.bitblend import Options, open as open_engine
bundle = open_bundle(Path(sys.argv[1]))
if sys.argv[2] == "checkpoint":
    files = {name: entry for name, entry in bundle.manifest.files.items() if name != "model.packed"}
    bundle = type(bundle)(bundle.path, bundle.manifest.model_copy(update={"files": files}))
before, started = psutil.Process().memory_info().rss, time.perf_counter()
scorer = open_engine(Options(), bundle, Path(sys.argv[3]))
took, after = time.perf_counter() - started, psutil.Process().memory_info().rss
print(f"{1000 * took:8.0f} ms  {1000 * scorer.info['load_s']:8.0f} ms  {(after - before) / 1e6:8.1f} MB")
"""


def sections(forest: Forest) -> dict[str, float]:
    """Bits per node of each section of the file."""
    nodes, writer, found, before = Joined.of(forest.trees), BitWriter(), {}, 0
    levels, splits, leaves = shape_of(nodes)
    columns, known = columns_of(nodes, splits, forest.operator)
    for name, write in (
        ("shape", lambda: write_shape(writer, levels)),
        ("thresholds", lambda: write_columns(writer, columns, forest.n_features)),
        ("splits", lambda: write_splits(writer, known, columns)),
        ("leaves", lambda: write_leaves(writer, forest, nodes, leaves, ())),
    ):
        write()
        found[name] = (writer.n_bits - before) / forest.n_nodes
        before = writer.n_bits
    return found


def fixed(forest: Forest) -> dict[str, float]:
    """The same by whole bits."""
    nodes = Joined.of(forest.trees)
    _, splits, leaves = shape_of(nodes)
    columns, known = columns_of(nodes, splits, forest.operator)
    ranks = int(bit_length(columns.n_bounds - 1)[known.column].sum())
    split_bits = splits.size * (1 + int(bit_length(columns.feature.size - 1))) + ranks
    bits = {"shape": forest.n_nodes, "thresholds": 32 * (2 * columns.feature.size + int(columns.n_bounds.sum()))}
    bits |= {"splits": split_bits, "leaves": 32 * leaves.size}
    return {name: own / forest.n_nodes for name, own in bits.items()}


def report(bundle: Bundle, cache: Path) -> None:
    """Print one bundle's figures."""
    forest, path = artefacts.load(bundle), bundle.path / packed.PACKED
    n_bytes = path.stat().st_size
    print(
        f"{bundle.path.name}: {bundle.artefact.stat().st_size:,} bytes as a checkpoint, {n_bytes:,} packed,"
        f" {bundle.artefact.stat().st_size / n_bytes:.1f}x smaller, {8 * n_bytes / forest.n_nodes:.2f} bits per node"
    )
    plain, own = fixed(forest), sections(forest)
    for name in own:
        print(f"  {name:12} {own[name]:6.2f}   fixed {plain[name]:6.2f}")
    x = np.random.default_rng(1).normal(size=(2000, forest.n_features)).astype(np.float32)
    exact, found = predict(forest, x), predict(packed.load(path), x)
    print(f"  scores differ by {np.abs(exact - found).max() / np.abs(exact).max():.1e} of the largest")
    for source in ("packed", "checkpoint", "packed", "checkpoint"):
        command = [sys.executable, "-c", LOAD, str(bundle.path), source, str(cache)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"  bitblend from {source:10} opens in {done.stdout.rstrip()} (after imports: second figure)")


def main() -> None:
    """Report on every bundle named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", type=Path)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=[])
    chosen = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "packed-benchmark"
    for bundle in [*map(open_bundle, chosen.bundles), *(bundle_of(name, folder) for name in chosen.models)]:
        report(bundle, folder / "cache")


if __name__ == "__main__":
    main()
