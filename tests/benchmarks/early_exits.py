"""Early exit in engine time: the teacher, the forest that candidates leave early, and as many trees for everybody.

    python tests/benchmarks/early_exits.py scenarios/early-exit.yaml --engines native bitblend
    python tests/benchmarks/early_exits.py SCENARIO --candidates 100 --set compress.0.rule=classifier

Recipes of the scenarios that end in `early_exit`. Lists are the query groups of the test split, or as many candidates
of it as told. Times in us, median and p99, are of all forms in all engines, interleaved on one core, call by call or
burst by burst: a lone call finds the caches full of the other forms' models, as a service with one model does not. `x`
is the median, between the ends of the middle half, of how often a form's call goes into the neighbouring call of the
teacher in the first engine. NDCG@k lost is against the teacher, with its one-sided 95 % bound.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from catalogue import builder_of, opened, spelled

from harness.bench.calls import Effort, call_times_us
from harness.bundle import Bundle
from harness.cache import Cache, default_cache_dir
from harness.environment import cpu_model
from harness.pipeline.engine_times import candidate_blocks
from harness.placement import available_cpus
from harness.records import QualityDrop
from harness.scenario import Choice, Scenario, load


def report(scenario: Scenario, engines: list[str], n_candidates: int | None, effort: Effort, cache: Cache) -> None:
    """Build a recipe and print its table."""
    builder = builder_of(scenario, cache, "test")
    steps = builder.chain(scenario)
    before, last, data = steps[-2], steps[-1], builder.splits.test
    forms: dict[str, tuple[Bundle, QualityDrop | None]] = {"teacher": (steps[0].bundle, None)}
    if len(steps) > 2:
        forms["nobody leaves"] = (before.bundle, before.row.quality)
    forms["early exit"] = (last.bundle, last.row.quality)
    if last.control is not None and last.row.control is not None:
        forms["truncated"] = (last.control, last.row.control.quality)
    scorers = [opened(bundle, Choice(kind=engine), cache) for engine in engines for bundle, _ in forms.values()]
    times = call_times_us(scorers, candidate_blocks(data, n_candidates, seed=0), available_cpus()[-1:], effort)
    early = last.bundle.manifest.meta.get("early_exit", {})
    lists = f"lists of {n_candidates}" if n_candidates else f"{data.n_rows / data.n_groups:.0f} candidates on average"
    print(f"\n## {scenario.name}: {' + '.join(map(spelled, [scenario.ranker, *scenario.compress]))}\n")
    print(f"{data.n_groups:,} query groups of test, {lists}; {early or 'every candidate stays'}\n")
    print("| form | trees | lost | at most |", *(f"{name}, us | p99 | x |" for name in engines))
    print("|---" * (4 + 3 * len(engines)) + "|")
    for place, (form, (bundle, drop)) in enumerate(forms.items()):
        trees = early.get("mean_trees") if form == "early exit" else None
        lost = f"{drop.drop:+.4f} | {drop.drop_upper:+.4f}" if drop else " | "
        cells = [f"{form} | {trees or bundle.manifest.size.n_trees:.0f} | {lost}"]
        for own in times[place :: len(forms)]:
            low, middle, high = np.quantile(times[0] / own, [0.25, 0.5, 0.75])
            p99 = np.quantile(own, 0.99)
            cells.append(f"{np.median(own):,.0f} | {p99:,.0f} | {middle:.2f} [{low:.2f}, {high:.2f}]")
        print("|", " | ".join(cells), "|", flush=True)


def main() -> None:
    """Report on every recipe of the scenarios named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="+", type=Path)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of all the scenarios, KEY=VALUE")
    parser.add_argument("--engines", nargs="+", default=["native"])
    parser.add_argument("--candidates", type=int, help="length of all lists; without it they are query groups")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--burst", type=int, default=1, help="calls in a row of each form in each engine")
    parser.add_argument("--cache", type=Path, default=default_cache_dir())
    asked = parser.parse_args()
    effort = Effort(asked.seconds, fewest=100, most=20_000, burst=asked.burst)
    print(cpu_model())
    for loaded in load(asked.scenarios, asked.set):
        report(loaded.scenario, asked.engines, asked.candidates, effort, Cache(asked.cache))


if __name__ == "__main__":
    main()
