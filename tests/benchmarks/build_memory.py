"""How much memory building takes beside the features themselves, stage by stage.

    python tests/benchmarks/build_memory.py                    # 400,000 rows of 136 features, as MSLR-WEB has
    python tests/benchmarks/build_memory.py --rows 3800000     # all of MSLR-WEB30K: 2.1 GB of features

Prints the peak of each stage over what the process held before it, and that as a share of the features' bytes (three
splits of 3/5, 1/5, 1/5). Linux: the kernel's high-water mark is reset before each stage. Most of it is LightGBM's own
and does not grow with the rows: its sample of 200,000 rows takes some 0.35 GB, binned features a quarter of the floats.
"""

from __future__ import annotations

import argparse
import ctypes
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.cache import Cache
from harness.ndcg import quality_with_tests
from harness.pipeline.build import Builder
from harness.ranking_data import RankingData, Splits
from harness.records import NdcgSpec
from harness.scenario import Choice, Scenario
from harness.scoring import quality

GROUP_ROWS = 120
N_FEATURES = 136
BLOCK_ROWS = 50_000


def split_of(name: str, n_groups: int, seed: int) -> RankingData:
    """Random features whose first eight decide the grade; written block by block, so that nothing larger is held."""
    rng = np.random.default_rng(seed)
    n = n_groups * GROUP_ROWS
    x = np.empty((n, N_FEATURES), dtype=np.float32)
    for start in range(0, n, BLOCK_ROWS):
        rng.standard_normal(out=x[start : start + BLOCK_ROWS], dtype=np.float32)
    signal = x[:, :8].sum(axis=1) + rng.standard_normal(n, dtype=np.float32)
    grades = np.digitize(signal, [1.0, 3.0, 5.0, 7.0]).astype(np.int32)
    names = tuple(f"f{i}" for i in range(N_FEATURES))
    return RankingData(name, x, grades, np.full(n_groups, GROUP_ROWS, dtype=np.int64), names)


def peak_over_rest(stage: Callable[[], object]) -> int:
    """Bytes by which the process grew at most while `stage` ran."""
    ctypes.CDLL(None).malloc_trim(0)  # what earlier stages have freed is no rest to grow from
    Path("/proc/self/clear_refs").write_text("5")
    before = _status_bytes("VmRSS")
    stage()
    return _status_bytes("VmHWM") - before


def _status_bytes(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{key}:"))


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=400_000)
    arguments.add_argument("--trees", type=int, default=20)
    chosen = arguments.parse_args()
    fifth = max(chosen.rows // GROUP_ROWS // 5, 1)
    splits = Splits(split_of("train", 3 * fifth, 0), split_of("valid", fifth, 1), split_of("test", fifth, 2))
    n_bytes = sum(one.features.nbytes for one in (splits.train, splits.valid, splits.test))
    print(f"{5 * fifth * GROUP_ROWS:,} rows x {N_FEATURES}: {n_bytes / 1e6:,.0f} MB of features")
    ranker = Choice.model_validate({"kind": "lightgbm", "n_trees": chosen.trees, "n_leaves": 64})
    recipes = {
        "prune_leaves": {"kind": "prune_leaves", "max_drop": 0.01},
        "distil_gbdt": {"kind": "distil_gbdt", "n_trees": chosen.trees},
    }
    small = Splits(*(split_of(name, 20, 0) for name in ("train", "valid", "test")))
    with tempfile.TemporaryDirectory(prefix="build-memory-") as folder:
        Builder(Cache(Path(folder)), small, NdcgSpec(), 1, lambda _: None).train(ranker)  # loads the libraries
        builder = Builder(Cache(Path(folder)), splits, NdcgSpec(), 1, lambda _: None)
        stages: dict[str, Callable[[], object]] = {
            "digest": lambda: splits.digest,
            "train lightgbm": lambda: builder.train(ranker),
            "score and NDCG": lambda: quality(builder.train(ranker)[0], splits.test, NdcgSpec()),
            "bootstrap": lambda: quality_with_tests(np.zeros(fifth), np.linspace(0, 1, fifth), 0.01),
        }
        for name, step in recipes.items():
            asked = {"name": "memory", "ranker": ranker.model_dump(), "compress": [step], "sla": {"p99_ms": 1}}
            scenario = Scenario.model_validate(asked)
            stages[name] = lambda scenario=scenario: builder.chain(scenario)
        for name, stage in stages.items():
            peak = peak_over_rest(stage)
            print(f"{name:16} {peak / 1e6:8,.0f} MB  {peak / n_bytes:5.2f} of the features")


if __name__ == "__main__":
    main()
