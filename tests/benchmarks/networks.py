"""What each step that makes a network costs and saves, without a load test: quality, size, engine times.

    python tests/benchmarks/networks.py scenarios/evidence/networks/{feed,yandex,movielens}.yaml
    python tests/benchmarks/networks.py SCENARIO... [--set KEY=VALUE...] [--cache DIR] [--on valid] [--out FILE]

Per step of each recipe: parameters, bytes, and NDCG lost against the teacher, against the step's input where that is a
network too, and against the step's control, all paired with one-sided 95 % bounds. Then every network behind every
engine that takes it, at 100 candidates, call by call in turn on one core: microseconds, how often it goes into float32
ONNX Runtime (neighbouring calls; for int8 networks of their input), and what the engine's own scores lose against the
network's. `--on valid` judges on the valid split: for choices, as the test split is not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogue import bounds, builder_of, middle, opened, spelled

from harness import registry
from harness.bench.calls import Effort, call_times_us
from harness.bundle import Bundle
from harness.cache import Cache, default_cache_dir
from harness.environment import cpu_model
from harness.ndcg import ndcg, quality_drop
from harness.pipeline.build import Builder, Step
from harness.pipeline.engine_times import candidate_blocks
from harness.placement import available_cpus
from harness.ranking_data import RankingData
from harness.records import NdcgSpec
from harness.scenario import Choice, Scenario, load
from harness.scoring import quality, scores_of

N_CANDIDATES = 100
BASE = "onnxruntime"
ENGINES = (BASE, "onnxruntime_int8", "bytenet", "native")
Row = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """A step's network, and the float32 one that its times are compared with: itself, or what it was made of."""

    name: str
    bundle: Bundle
    base: Bundle


def steps_of(scenarios: Sequence[Scenario], builder: Builder) -> tuple[list[Row], list[Network]]:
    """A row for each distinct network of the recipes, and the networks."""
    rows: dict[str, Row] = {}
    networks: list[Network] = []
    for scenario in scenarios:
        before, *steps = builder.chain(scenario)
        for n, step in enumerate(steps):
            if step.row.digest not in rows and step.bundle.manifest.format == "mlp":
                first, *others = scenario.compress[: n + 1]
                name = " + ".join([first.kind if others else spelled(first), *map(spelled, others)])
                rows[step.row.digest] = _row(name, step, before, builder)
                takes_float = not _refusal(BASE, step.bundle)
                networks.append(Network(name, step.bundle, step.bundle if takes_float else before.bundle))
            before = step
    return list(rows.values()), networks


def _row(name: str, step: Step, before: Step, builder: Builder) -> Row:
    size, row = step.row.size, {"recipe": name, "lost": bounds(step.row.quality)}
    row |= {"hidden": step.bundle.manifest.meta["hidden"], "parameters": size.n_parameters, "bytes": size.disk_bytes}
    if before.bundle.manifest.format == "mlp":
        own, others = (quality(bundle, builder.splits.test, builder.ndcg) for bundle in (step.bundle, before.bundle))
        row["further"] = bounds(quality_drop(others, own))
    if step.row.control and step.row.against_control:
        rival = step.row.control
        row["control"] = {"step": rival.step, "params": rival.params, "lost": bounds(rival.quality)}
        row["against_control"] = bounds(step.row.against_control) | {"control_does": step.row.control_does}
    return row


def _refusal(engine: str, bundle: Bundle) -> str:
    plugin = registry.engine(engine)
    return str(plugin.refuses(plugin.Options(), bundle.manifest))


def timed(networks: Sequence[Network], data: RankingData, spec: NdcgSpec, cache: Cache, seconds: float) -> list[Row]:
    """A row for each network behind each engine that takes it."""
    seats = [(own, engine) for own in networks for engine in ENGINES if not _refusal(engine, own.bundle)]
    scorers = [opened(own.bundle, Choice(kind=engine), cache) for own, engine in seats]
    blocks = candidate_blocks(data, N_CANDIDATES, seed=0)
    times = call_times_us(scorers, blocks, available_cpus()[-1:], Effort(seconds, fewest=200, most=20_000))
    base = {own.bundle.manifest.digest: t for (own, engine), t in zip(seats, times, strict=True) if engine == BASE}
    rows = []
    for (own, engine), scorer, us in zip(seats, scorers, times, strict=True):
        served = ndcg(scores_of(scorer, data.features, data.group_sizes), data, spec)
        loss = quality_drop(quality(own.bundle, data, spec), served)
        row = {"recipe": own.name, "engine": engine, "us": middle(us), "further": bounds(loss)}
        rows.append(row | {"base_per_it": middle(base[own.base.manifest.digest] / us)})
    return rows


def rendered(table: dict[str, Any]) -> Iterator[str]:
    """The tables of one scenario file in Markdown."""
    yield f"## {table['name']}\n\n{table['about']}\n"
    yield "| recipe | parameters | bytes | NDCG | lost | lost against its input | lost against its control |"
    yield "|---" * 7 + "|"
    for row in table["rows"]:
        control = f"{_text(row['against_control'])}: {_control(row['control'])}" if "control" in row else ""
        yield (
            f"| {row['recipe']} | {row['parameters']:,} | {row['bytes']:,} | {row['lost']['ndcg']:.4f} | "
            f"{_text(row['lost'])} | {_text(row['further']) if 'further' in row else ''} | {control} |"
        )
    yield "\n| recipe | engine | us | float32 ONNX Runtime / it | lost against the network |\n" + "|---" * 5 + "|"
    for row in table["times"]:
        ratio = row["base_per_it"]
        yield (
            f"| {row['recipe']} | {row['engine']} | {row['us'][1]:.0f} | "
            f"{ratio[1]:.2f} [{ratio[0]:.2f}, {ratio[2]:.2f}] | {_text(row['further'])} |"
        )
    yield ""


def _text(lost: dict[str, float]) -> str:
    return f"{lost['drop']:+.4f} [{lost['at_least']:+.4f}, {lost['at_most']:+.4f}]"


def _control(control: Row) -> str:
    params = " ".join(f"{key}={value}" for key, value in control["params"].items() if key in ("targets", "hidden"))
    return " ".join([control["step"], params, f"loses {control['lost']['drop']:+.4f}"])


def table_of(file: Path, overrides: list[str], cache: Cache, split: str, seconds: float) -> dict[str, Any]:
    """Everything about one scenario file."""
    scenarios = [loaded.scenario for loaded in load([file], overrides)]
    builder = builder_of(scenarios[0], cache, split)
    rows, networks = steps_of(scenarios, builder)
    data = builder.splits.test
    times = timed(networks, data, builder.ndcg, cache, seconds)
    groups = f"{builder.splits.train.n_groups:,} query groups of train, {data.n_groups:,} of {split}"
    about = f"Teacher: {spelled(scenarios[0].ranker)}; {groups}; {builder.ndcg}."
    return {"name": file.stem, "about": about, "cpu": cpu_model(), "rows": rows, "times": times}


def main() -> None:
    """Build what is not in the cache, measure, print, and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="+", type=Path)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of all the scenarios, KEY=VALUE")
    parser.add_argument("--on", choices=["test", "valid"], default="test", help="the split that judges")
    parser.add_argument("--seconds", type=float, default=20.0, help="of engine times, for each scenario file")
    parser.add_argument("--cache", type=Path, default=default_cache_dir())
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    asked = parser.parse_args()
    tables = [table_of(file, asked.set, Cache(asked.cache), asked.on, asked.seconds) for file in asked.scenarios]
    text = f"{cpu_model()}; engine times at {N_CANDIDATES} candidates.\n\n"
    text += "\n".join(line for table in tables for line in rendered(table))
    print(text)
    if asked.out:
        asked.out.with_suffix(".json").write_text(json.dumps(tables, indent=1), encoding="utf-8")
        asked.out.with_suffix(".md").write_text(f"# Networks\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
