"""What each way to make a network smaller costs and saves: quality on the test split, engine time at 100 candidates.

Teacher: LightGBM on `synthetic_feed`. First a 128-64 student by each kind of knowledge, then a 400-200-200-100 student
quantised, pruned by units and pruned by weights. Engine times are interleaved on one core; the 5 % quantile stands
beside the median, for on a shared machine the median tells mostly of the neighbours.

    python tests/benchmarks/networks.py [--groups 2500] [--trees 500] [--epochs 10] [--only knowledge|compression]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from harness import registry
from harness.bench.calls import Effort, call_times_us
from harness.bundle import Bundle, seal
from harness.ndcg import quality_drop
from harness.pipeline.engine_times import candidate_blocks
from harness.protocols import Compression, Training
from harness.ranking_data import Splits
from harness.records import NdcgSpec
from harness.scoring import quality

SPEC = NdcgSpec()
KNOWLEDGE: dict[str, dict[str, Any]] = {
    "labels alone (control)": {"targets": "labels"},
    "squares": {},
    "squares, leaf hints": {"hints": "leaves"},
    "squares, 0.2 labels": {"label_weight": 0.2},
    "squares, 0.2 labels, leaf hints": {"label_weight": 0.2, "hints": "leaves"},
    "margins": {"outputs": "margins"},
    "listwise": {"outputs": "listwise"},
    "listwise, temperature 0.5": {"outputs": "listwise", "temperature": 0.5},
}
FINE = {"epochs": 4}
COMPRESSION: dict[str, dict[str, Any]] = {
    "int8 at run time": {"kind": "quantise"},
    "int8 on grids": {"kind": "quantise", "activations": "static"},
    "int8 on grids, trained": {"kind": "quantise", "qat": FINE},
    "half of the parameters": {"kind": "prune_neurons", "keep": 0.5, **FINE},
    "95 % zeros": {"kind": "prune_weights", "sparsity": 0.95, **FINE},
}


class Bench:
    """Builds bundles in a scratch folder and compares them."""

    def __init__(self, splits: Splits, scratch: Path) -> None:
        self.splits, self.scratch, self.n_made = splits, scratch, 0

    def teacher(self, n_trees: int) -> Bundle:
        plugin = registry.ranker("lightgbm")
        options = plugin.Options(n_trees=n_trees, n_leaves=64, learning_rate=0.05, seed=1)
        out = self.folder()
        return seal(out, plugin.train(options, Training(self.splits, out, 1, SPEC, print)), origin={})

    def step(self, before: Bundle, teacher: Bundle, kind: str, **options: Any) -> Bundle:
        method, out = registry.method(kind), self.folder()
        work = Compression(before, teacher, self.splits, out, 1, SPEC, lambda _: None)
        return seal(out, method.apply(method.Options(**options), work), origin={})

    def folder(self) -> Path:
        self.n_made += 1
        out = self.scratch / str(self.n_made)
        out.mkdir()
        return out

    def row(self, name: str, teacher: Bundle, own: Bundle) -> None:
        drop = quality_drop(*(quality(bundle, self.splits.test, SPEC) for bundle in (teacher, own)))
        size = own.manifest.size
        print(
            f"{name:34} NDCG@10 {drop.ndcg:.4f}  drop {drop.drop:+.4f} [{drop.drop_lower:+.4f}, {drop.drop_upper:+.4f}]"
            f"  {size.n_parameters:7} parameters {size.disk_bytes:8} bytes",
            flush=True,
        )

    def times(self, bundles: dict[str, Bundle]) -> None:
        scorers = {}
        for name, bundle in bundles.items():
            for kind in ("native", "onnxruntime", "onnxruntime_int8"):
                engine = registry.engine(kind)
                if not engine.refuses(engine.Options(), bundle.manifest):
                    scorers[f"{name}, {kind}"] = engine.open(engine.Options(), bundle, self.scratch)
        core = sorted(os.sched_getaffinity(0))[-1]
        blocks = candidate_blocks(self.splits.test, 100, 0)
        times = call_times_us(list(scorers.values()), blocks, [core], Effort(seconds=20.0, fewest=100, most=3000))
        for name, own in zip(scorers, times, strict=True):
            low, middle = np.quantile(own, [0.05, 0.5])
            print(f"{name:50} 5 %: {low:6.0f} us  median {middle:6.0f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=2500, help="query groups to train on")
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--only", choices=["knowledge", "compression"])
    asked = parser.parse_args()
    feed = registry.dataset("synthetic_feed")
    with tempfile.TemporaryDirectory() as scratch:
        shape = feed.Options(train_groups=asked.groups, valid_groups=600, test_groups=2000)
        bench = Bench(feed.load(shape, Path(scratch)).checked(), Path(scratch))
        teacher = bench.teacher(asked.trees)
        if asked.only != "compression":
            for name, told in KNOWLEDGE.items():
                shape_of = {"hidden": [128, 64], "epochs": asked.epochs}
                bench.row(name, teacher, bench.step(teacher, teacher, "distil_mlp", **shape_of, **told))
        if asked.only != "knowledge":
            student = bench.step(teacher, teacher, "distil_mlp", hidden=[400, 200, 200, 100], epochs=asked.epochs)
            bundles = {"student": student}
            bench.row("student 400-200-200-100", teacher, student)
            for name, step in COMPRESSION.items():
                bundles[name] = bench.step(student, teacher, **step)
                bench.row(f"{name} (against the student)", student, bundles[name])
            bench.times(bundles)


if __name__ == "__main__":
    main()
