"""Every engine on the same candidate lists in turn: us per request, times native, ns per candidate x tree.

    python tests/benchmarks/engines.py
    python tests/benchmarks/engines.py --models lgb-300x64 --n-candidates 100 --engines native bitblend --seconds 2

One process on one core. Candidate lists rotate over more rows than fit in the second-level cache, for a request that
is repeated trains the branch predictor. Spreads are the middle half of the calls; ratios are of neighbouring calls.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness import registry
from harness.bundle import Bundle, open_bundle, seal
from harness.environment import cpu_model
from harness.errors import HarnessError
from harness.protocols import Scorer
from harness.trees import artefacts
from harness.trees.forest import Forest

N_FEATURES = 136
MODELS = ("lgb-100x31", "lgb-300x64", "lgb-1000x64", "xgb-300x6")
ENGINES = ("native", "gtil", "tl2cgen", "onnxruntime", "bitblend", "bitblend-avx2")
ROTATED_BYTES = 4 << 20
COMPILED_NODES_PER_S = 2_000
"""How many nodes of generated C gcc -O2 gets through in a second, roughly: to foresee what a compile would take."""


def table(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Made-up ranking features (normal, skewed, counts, rounded; one in twenty missing) and a target."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    x[:, ::3] = np.exp(2 * x[:, ::3])
    x[:, 1::5] = rng.poisson(3, size=x[:, 1::5].shape)
    x[:, 2::7] = np.round(x[:, 2::7], 1)
    weights = np.random.default_rng(0).normal(scale=0.3, size=N_FEATURES)
    y = np.tanh(x) @ weights + np.sin(3 * x[:, 3]) + rng.normal(size=n_rows)
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, y.astype(np.float32)


def bundle_of(name: str, folder: Path) -> Bundle:
    """The trained model `lgb-TREESxLEAVES` or `xgb-TREESxDEPTH` as a bundle, kept in `folder`."""
    out = folder / name
    if (out / "manifest.json").is_file():
        return open_bundle(out)
    out.mkdir(parents=True, exist_ok=True)
    n_trees, size = map(int, name.partition("-")[2].split("x"))
    x, y = table(20_000, seed=1)
    names = tuple(f"f{i}" for i in range(N_FEATURES))
    if name.startswith("lgb"):
        draft = artefacts.save(lightgbm_forest(x, y, n_trees, size), out, names, lightgbm_objective="regression")
    else:
        forest, booster = xgboost_forest(x, y, n_trees, size)
        booster.save_model(out / artefacts.XGBOOST_JSON)
        draft = artefacts.save(forest, out, names)
    return seal(out, draft, origin={"kind": "benchmark"})


def lightgbm_forest(x: np.ndarray, y: np.ndarray, n_trees: int, n_leaves: int) -> Forest:
    import lightgbm
    import treelite

    from harness.trees.formats.treelite_model import from_treelite

    params = {"objective": "regression", "num_leaves": n_leaves, "learning_rate": 0.05, "verbosity": -1}
    booster = lightgbm.train({**params, "feature_fraction": 0.3}, lightgbm.Dataset(x, y), n_trees)
    return from_treelite(treelite.frontend.from_lightgbm(booster))


def xgboost_forest(x: np.ndarray, y: np.ndarray, n_trees: int, depth: int) -> tuple[Forest, object]:
    import treelite
    import xgboost

    from harness.trees.formats.treelite_model import from_treelite

    params = {"max_depth": depth, "eta": 0.05, "tree_method": "hist", "base_score": 0.0, "verbosity": 0}
    booster = xgboost.train({**params, "colsample_bytree": 0.3}, xgboost.DMatrix(x, y), n_trees)
    return from_treelite(treelite.frontend.from_xgboost(booster)), booster


def scorers(engines: list[str], bundle: Bundle, folder: Path, compile_limit_s: float) -> dict[str, Scorer]:
    """Each engine, opened; why one is left out is printed."""
    opened: dict[str, Scorer] = {}
    forest = artefacts.load(bundle)
    for name in engines:
        kind, _, isa = name.partition("-")
        engine = registry.engine(kind)
        options = engine.Options(**({"isa": isa} if isa else {}))
        foreseen_s = forest.n_nodes / COMPILED_NODES_PER_S
        if kind == "tl2cgen" and foreseen_s > compile_limit_s:
            print(f"  {name}: left out, its compile would take some {foreseen_s:.0f} s (--compile-limit)")
            continue
        started = time.perf_counter()
        try:
            opened[name] = engine.open(options, bundle, folder / "cache")
        except HarnessError as error:
            print(f"  {name}: left out, {error.what}")
            continue
        facts = {key: opened[name].info.get(key) for key in ("isa", "compile_s", "load_s", "table_bytes")}
        stated = ", ".join(f"{key} {value}" for key, value in facts.items() if value is not None)
        print(f"  {name}: opened in {time.perf_counter() - started:.2f} s ({stated})")
    return opened


def candidate_lists(n: int) -> Iterator[np.ndarray]:
    """Lists of n candidates without end, from a table larger than the second-level cache."""
    x, _ = table(max(ROTATED_BYTES // (4 * N_FEATURES), 4 * n), seed=2)
    while True:
        for start in range(0, len(x) - n + 1, n):
            yield x[start : start + n]


@dataclass
class Times:
    """Calls of each engine in us, round by round."""

    rounds: dict[str, list[float]]

    def line(self, name: str, n: int, n_trees: int) -> str:
        """Median and spread, times native, ns per candidate x tree."""
        own = np.array(self.rounds[name])
        low, middle, high = np.quantile(own, [0.25, 0.5, 0.75])
        text = f"  {name:15s} {n:5d} {middle:10.1f}  [{low:.1f}, {high:.1f}]".ljust(62)
        if "native" in self.rounds:
            ratios = np.quantile(np.array(self.rounds["native"]) / own, [0.25, 0.5, 0.75])
            text += f"{ratios[1]:7.2f}  [{ratios[0]:.2f}, {ratios[2]:.2f}]".ljust(24)
        return f"{text}{1e3 * middle / (n * n_trees):8.3f}"


def measure(opened: dict[str, Scorer], n: int, seconds: float) -> Times:
    """At least 15 rounds of one call each, in an order that changes from round to round."""
    lists, rng = candidate_lists(n), np.random.default_rng(3)
    names = list(opened)
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        opened[name].score(next(lists))
    deadline = time.perf_counter() + seconds
    while len(times[names[0]]) < 15 or time.perf_counter() < deadline:
        x = np.ascontiguousarray(next(lists))
        for index in rng.permutation(len(names)):
            score: Callable = opened[names[index]].score
            started = time.perf_counter()
            score(x)
            times[names[index]].append((time.perf_counter() - started) * 1e6)
    return Times(times)


def main() -> None:
    """Train what is not there yet, then measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--n-candidates", nargs="+", type=int, default=[1, 20, 100, 500, 1000])
    parser.add_argument("--engines", nargs="+", default=list(ENGINES))
    parser.add_argument("--seconds", type=float, default=2.0, help="for each model and number of candidates")
    parser.add_argument("--compile-limit", type=float, default=60.0, help="seconds a compile may take")
    parser.add_argument(
        "--dir", type=Path, default=Path(tempfile.gettempdir()) / "engine-benchmark", help="kept models"
    )
    arguments = parser.parse_args()
    bundles = {name: bundle_of(name, arguments.dir) for name in arguments.models}
    core = max(os.sched_getaffinity(0))
    print(f"{cpu_model()}, core {core}")
    for name, bundle in bundles.items():
        size = bundle.manifest.size
        print(f"\n{name}: {size.n_trees} trees, {size.n_nodes} nodes")
        opened = scorers(arguments.engines, bundle, arguments.dir, arguments.compile_limit)
        print(
            "  engine              n   us/request  [middle half]                x native [middle half]   ns/cand/tree"
        )
        os.sched_setaffinity(0, {core})
        for n in arguments.n_candidates:
            times = measure(opened, n, arguments.seconds)
            print("\n".join(times.line(engine, n, size.n_trees) for engine in opened))


if __name__ == "__main__":
    main()
