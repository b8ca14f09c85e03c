"""What do forests lose when they shrink? Tree methods at equal numbers of nodes, as a Markdown table.

    python tests/benchmarks/tree_pruning.py scenarios/yandex-letor.yaml --shares 0.5 0.25 0.1 0.05
    python tests/benchmarks/tree_pruning.py scenarios/prune-levels.yaml --set data.train_groups=5000 --features 0.5 0.25

Data, teacher and NDCG are those of the scenario; its recipe is not looked at. `--teacher` takes a bundle that stands
already in place of training one. NDCG lost is paired per query group of the test split, with one-sided 95 % bounds;
so is what a step loses against the cheap control of its size, the first row of each.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import registry
from harness.bundle import Bundle, open_bundle, seal
from harness.cache import Cache
from harness.ndcg import quality_drop
from harness.pipeline.build import Builder
from harness.pipeline.data import load_data
from harness.protocols import Compression
from harness.records import QualityDrop
from harness.scenario import Choice, load_one, options
from harness.scoring import quality

HEAD = "| step | nodes | of all | trees | NDCG | lost | against the control | built in |"


def sizes(shares: list[float], features: list[float], n_nodes: int) -> Iterator[list[dict[str, Any]]]:
    """The steps that are compared, size by size, the control first: by share of the nodes, then of the features."""
    for share in shares:
        kinds = ("truncate", "prune_leaves", "prune_levels")
        yield [{"kind": kind, "max_nodes": max(1, round(share * n_nodes))} for kind in kinds]
    for share in features:
        yield [{"kind": "prune_features", "keep": share, "by": by} for by in ("importance", "scores")]


def applied(step: dict[str, Any], work: Compression) -> Bundle:
    """The bundle that one step makes of the teacher, in `work.out`."""
    choice = Choice.model_validate(step)
    shutil.rmtree(work.out, ignore_errors=True)
    work.out.mkdir(parents=True)
    return seal(work.out, registry.method(choice.kind).apply(options("methods", choice), work), origin={})


def main() -> None:
    """Train or read the teacher, shrink it in every way, print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of the scenario, KEY=VALUE")
    parser.add_argument("--shares", nargs="*", type=float, default=[0.5, 0.25, 0.1, 0.05], help="of the nodes")
    parser.add_argument("--features", nargs="*", type=float, default=[], help="shares of the features")
    parser.add_argument("--teacher", type=Path, help="a bundle in place of training")
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "tree-pruning", help="kept models")
    arguments = parser.parse_args()
    scenario = load_one(arguments.scenario, arguments.set)
    cache, spec = Cache(arguments.dir / "cache"), scenario.sla.ndcg
    splits = load_data(scenario.data, cache)
    builder = Builder(cache, splits, spec, 1, lambda line: print(line, file=sys.stderr))
    teacher = open_bundle(arguments.teacher) if arguments.teacher else builder.train(scenario.ranker)[0]
    base, n_nodes = quality(teacher, splits.test, spec), teacher.manifest.size.n_nodes
    print(
        f"{n_nodes:,} nodes, {spec}, {splits.train.n_groups:,} query groups of train, {splits.test.n_groups:,} of test"
    )
    print(f"\n{HEAD}\n" + "|---" * HEAD.count(" |") + "|")
    for group in sizes(arguments.shares, arguments.features, n_nodes):
        control = None
        for step in group:
            started = time.perf_counter()
            work = Compression(teacher, teacher, splits, arguments.dir / "step", 1, spec, builder.progress)
            bundle = applied(step, work)
            built_s, size = time.perf_counter() - started, bundle.manifest.size
            own = quality(bundle, splits.test, spec)
            lost, beside = quality_drop(base, own), quality_drop(control, own) if control is not None else None
            control = own if control is None else control
            name = " ".join(str(value) for key, value in step.items() if key != "max_nodes")
            print(
                f"| {name} | {size.n_nodes:,} | {size.n_nodes / n_nodes:.1%} | {size.n_trees} | {lost.ndcg:.4f} | "
                f"{bounds(lost)} | {bounds(beside) if beside else ''} | {built_s:.0f} s |",
                flush=True,
            )


def bounds(lost: QualityDrop) -> str:
    """What was lost, and between which bounds."""
    return f"{lost.drop:+.4f} [{lost.drop_lower:+.4f}, {lost.drop_upper:+.4f}]"


if __name__ == "__main__":
    main()
