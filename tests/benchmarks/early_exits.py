"""Early exit in engine time: the whole forest, candidates that leave early, and as many trees for everybody.

    python tests/benchmarks/early_exits.py scenarios/early-exit.yaml --engines native bitblend
    python tests/benchmarks/early_exits.py SCENARIO --set compress.0.rule=classifier --seconds 10

Recipes of the scenarios that end in `early_exit`; lists are the query groups of the test split. Times are medians in us,
all forms in all engines interleaved call by call on one core; `x less` is the median ratio of neighbouring calls, the
whole over the form, with its middle half. NDCG lost is against the whole, with its one-sided 95 % bound.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from catalogue import builder_of, spelled

from harness import registry
from harness.bench.calls import Effort, call_times_us
from harness.bundle import Bundle
from harness.cache import Cache, default_cache_dir
from harness.environment import cpu_model
from harness.opening import open_engine
from harness.pipeline.engine_times import candidate_blocks
from harness.placement import available_cpus
from harness.protocols import Scorer
from harness.records import QualityDrop
from harness.scenario import Choice, Scenario, load, options


def scorer_of(bundle: Bundle, engine: str, cache: Cache) -> Scorer:
    """A bundle in an engine of one thread, its parts put together."""
    plugin = registry.engine(engine)
    return open_engine(plugin, options("engines", Choice(kind=engine)), bundle, cache.root / "compiled")


def report(scenario: Scenario, engines: list[str], seconds: float, cache: Cache) -> None:
    """Build a recipe and print its table."""
    builder = builder_of(scenario, cache, "test")
    steps = builder.chain(scenario)
    whole, last, data = steps[-2].bundle, steps[-1], builder.splits.test
    forms: dict[str, tuple[Bundle, QualityDrop | None]] = {"whole": (whole, None), "early exit": (last.bundle, None)}
    if last.control is not None and last.row.control is not None:
        forms["truncated"] = (last.control, last.row.control.quality)
    if len(steps) == 2:
        forms["early exit"] = (last.bundle, last.row.quality)
    scorers = [scorer_of(bundle, engine, cache) for engine in engines for bundle, _ in forms.values()]
    effort = Effort(seconds, fewest=100, most=20_000)
    times = call_times_us(scorers, candidate_blocks(data, None, seed=0), available_cpus()[-1:], effort)
    of_engine = np.split(times, len(engines))
    early = last.bundle.manifest.meta.get("early_exit", {})
    print(f"\n## {scenario.name}: {' + '.join(map(spelled, [scenario.ranker, *scenario.compress]))}\n")
    print(f"{data.n_groups:,} query groups of test, {data.n_rows / data.n_groups:.0f} candidates on average. {early}\n")
    print("| form | trees | lost | at most |", *(f"{name}, us | p99 | x less |" for name in engines))
    print("|---" * (4 + 3 * len(engines)) + "|")
    for place, (form, (bundle, drop)) in enumerate(forms.items()):
        trees = early.get("mean_trees") if form == "early exit" else None
        lost = f"{drop.drop:+.4f} | {drop.drop_upper:+.4f}" if drop else " | "
        cells = [f"{form} | {trees or bundle.manifest.size.n_trees:.0f} | {lost}"]
        for own in of_engine:
            low, middle, high = np.quantile(own[0] / own[place], [0.25, 0.5, 0.75])
            p99 = np.quantile(own[place], 0.99)
            cells.append(f"{np.median(own[place]):,.0f} | {p99:,.0f} | {middle:.2f} [{low:.2f}, {high:.2f}]")
        print("|", " | ".join(cells), "|")


def main() -> None:
    """Report on every recipe of the scenarios named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="+", type=Path)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of all the scenarios, KEY=VALUE")
    parser.add_argument("--engines", nargs="+", default=["native"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--cache", type=Path, default=default_cache_dir())
    asked = parser.parse_args()
    print(cpu_model())
    for loaded in load(asked.scenarios, asked.set):
        report(loaded.scenario, asked.engines, asked.seconds, Cache(asked.cache))


if __name__ == "__main__":
    main()
