"""What every step of a scenario's recipes costs and saves, without a load test: quality, size, engine time.

    python tests/benchmarks/catalogue.py scenarios/evidence/feed.yaml [--out results/evidence/catalogue-feed]
    python tests/benchmarks/catalogue.py SCENARIO... [--set KEY=VALUE...] [--cache DIR] [--on valid]

Scenarios of one teacher on one set of data make a table. Per step of each recipe: trees, nodes, bytes packed (and how
often they go into the teacher's Treelite checkpoint), NDCG lost against the teacher, and against the step's cheap
control, both paired with one-sided 95 % bounds. Engine times at 100 candidates are interleaved in bursts of 16 calls on
one core: the teacher by its own library and by the scenario's engine, and every step's bundle by the latter. Ratios to
the native teacher are of calls with the same list, with their middle half; `teacher / it` is of medians in one engine.
`*`: no other row loses less, is smaller and faster. `--on valid` judges on the valid split: for choices, as the test
split is not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import registry
from harness.bench.calls import Effort, call_times_us
from harness.bundle import Bundle
from harness.cache import Cache, default_cache_dir
from harness.environment import cpu_model
from harness.opening import open_engine
from harness.pipeline.build import Builder, Step
from harness.pipeline.data import load_data
from harness.pipeline.engine_times import candidate_blocks
from harness.placement import available_cpus
from harness.protocols import Scorer
from harness.ranking_data import RankingData
from harness.records import QualityDrop
from harness.scenario import Choice, Scenario, load, options
from harness.scoring import reference_engine
from harness.suite.front import dominators

N_CANDIDATES, BURST = 100, 16
HEAD = (
    "| recipe | trees | nodes | packed bytes | checkpoint / packed | NDCG lost | at least | at most | "
    "against its control | engine, us | teacher / it | native teacher / it | |"
)
Row = dict[str, Any]


def spelled(choice: Choice) -> str:
    """A step as text: `prune_trees keep=0.25`."""
    return " ".join([choice.kind, *(f"{key}={value}" for key, value in choice.options.items())])


def rows_of(scenarios: Sequence[Scenario], builder: Builder) -> tuple[list[Row], list[Bundle]]:
    """A row for each distinct bundle of the recipes, the teacher's first, and the bundles."""
    rows: dict[str, Row] = {}
    bundles: list[Bundle] = []
    for scenario in scenarios:
        steps = builder.chain(scenario)
        checkpoint = steps[0].row.size.disk_bytes
        for n, step in enumerate(steps):
            if step.row.digest not in rows:
                name = " + ".join(map(spelled, scenario.compress[:n])) or "teacher"
                rows[step.row.digest] = _row(name, step, checkpoint)
                bundles.append(step.bundle)
    return list(rows.values()), bundles


def _row(name: str, step: Step, checkpoint: int) -> Row:
    size, paired = step.row.size, step.row.against_control
    row = {"recipe": name, "trees": size.n_trees, "nodes": size.n_nodes, "packed_bytes": size.packed_bytes}
    row |= {"checkpoint_per_packed": checkpoint / size.packed_bytes, "lost": bounds(step.row.quality)}
    if step.row.control and paired:
        rival = step.row.control
        row["control"] = {"step": rival.step, "lost": bounds(rival.quality), "nodes": rival.size.n_nodes}
        row["against_control"] = bounds(paired) | {"control_does": step.row.control_does}
    return row


def bounds(drop: QualityDrop) -> dict[str, float]:
    """NDCG, what of it was lost, and the one-sided 95 % bounds of that."""
    return {"ndcg": drop.ndcg, "drop": drop.drop, "at_least": drop.drop_lower, "at_most": drop.drop_upper}


def timed(rows: list[Row], bundles: list[Bundle], engine: Choice, data: RankingData, cache: Cache, s: float) -> None:
    """Engine times of all rows into them, the native teacher's into the first."""
    native = Choice(kind=reference_engine(bundles[0].manifest))
    scorers = [opened(bundles[0], native, cache), *(opened(bundle, engine, cache) for bundle in bundles)]
    blocks = candidate_blocks(data, N_CANDIDATES, seed=0)
    times = call_times_us(scorers, blocks, available_cpus()[-1:], Effort(s, fewest=100, most=20_000, burst=BURST))
    rows[0]["native"] = {"engine": native.kind, "us": middle(times[0])}
    for row, own in zip(rows, times[1:], strict=True):
        row |= {"us": middle(own), "native_per_it": middle(times[0] / own)}


def middle(values: Any) -> list[float]:
    """Median, between the ends of the middle half."""
    return [float(value) for value in np.quantile(values, [0.25, 0.5, 0.75])]


def opened(bundle: Bundle, engine: Choice, cache: Cache) -> Scorer:
    """A bundle in an engine, its parts put together."""
    return open_engine(registry.engine(engine.kind), options("engines", engine), bundle, cache.root / "compiled")


def rendered(table: dict[str, Any]) -> str:
    """The table in Markdown."""
    rows: list[Row] = table["rows"]
    beaten = dominators([(row["lost"]["drop"], row["us"][1], float(row["packed_bytes"])) for row in rows])
    lines = [HEAD, "|---" * 13 + "|"]
    for row, by in zip(rows, beaten, strict=True):
        lost, us, ratio, paired = row["lost"], row["us"], row["native_per_it"], row.get("against_control")
        beside = f"{paired['drop']:+.4f} [{paired['at_least']:+.4f}, {paired['at_most']:+.4f}]" if paired else ""
        own = rows[0]["us"][1] / us[1]
        lines.append(
            f"| {row['recipe']} | {row['trees']} | {row['nodes']:,} | {row['packed_bytes']:,} | "
            f"{row['checkpoint_per_packed']:.0f} | {lost['drop']:+.4f} | {lost['at_least']:+.4f} | "
            f"{lost['at_most']:+.4f} | {beside} | {us[1]:.1f} | {own:.1f} | "
            f"{ratio[1]:.1f} [{ratio[0]:.1f}, {ratio[2]:.1f}] | "
            f"{'' if by else '*'} |"
        )
    native = rows[0]["native"]
    text = [f"## {table['name']}", "", f"{table['about']} {native['engine']}: {native['us'][1]:,.0f} us.", "", *lines]
    return "\n".join(text)


def builder_of(scenario: Scenario, cache: Cache, split: str) -> Builder:
    """What builds a scenario's bundles and judges them on `split`."""
    splits = load_data(scenario.data, cache)
    if split == "valid":
        whole, splits = splits, replace(splits, test=splits.valid)
        vars(splits)["digest"] = whole.digest  # no step sees who judges it, so bundles are those of the whole
    return Builder(cache, splits, scenario.sla.ndcg, 1, lambda line: print(f"  {line}", flush=True))


def table_of(file: Path, overrides: list[str], cache: Cache, split: str, seconds: float) -> dict[str, Any]:
    """Everything about one scenario file."""
    scenarios = [loaded.scenario for loaded in load([file], overrides)]
    one = scenarios[0]
    builder = builder_of(one, cache, split)
    splits = builder.splits
    rows, bundles = rows_of(scenarios, builder)
    timed(rows, bundles, one.engine, splits.test, cache, seconds)
    groups = f"{splits.train.n_groups:,} query groups of train, {splits.test.n_groups:,} of {split}"
    size = bundles[0].manifest.size
    about = f"{spelled(one.ranker)}; {groups}; {one.sla.ndcg}. Teacher: {size.disk_bytes:,} bytes as a checkpoint;"
    return {"name": file.stem, "about": about, "cpu": cpu_model(), "engine": one.engine.kind, "rows": rows}


def main() -> None:
    """Build what is not in the cache, measure, print, and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="+", type=Path)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of all the scenarios, KEY=VALUE")
    parser.add_argument("--on", choices=["test", "valid"], default="test", help="the split that judges")
    parser.add_argument("--seconds", type=float, default=10.0, help="of engine times, for each scenario file")
    parser.add_argument("--cache", type=Path, default=default_cache_dir())
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    asked = parser.parse_args()
    files = [file for file in asked.scenarios if not file.name.startswith("_")]  # those are only there to be extended
    tables = [table_of(file, asked.set, Cache(asked.cache), asked.on, asked.seconds) for file in files]
    text = f"{cpu_model()}; engine times at {N_CANDIDATES} candidates.\n\n" + "\n\n".join(map(rendered, tables)) + "\n"
    print(text)
    if asked.out:
        asked.out.with_suffix(".json").write_text(json.dumps(tables, indent=1), encoding="utf-8")
        asked.out.with_suffix(".md").write_text(f"# The tree catalogue\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
