"""Are the defaults of the pruning methods right? Each beside its rivals, judged on the valid split: a Markdown table.

    python tests/benchmarks/pruning_choices.py scenarios/evidence/feed.yaml [--keep 0.25] [--set KEY=VALUE...]

Data, teacher and NDCG are those of the scenario; its recipe is not looked at. Methods get every other query group of
the valid split, the rest of it judges. The first row of each choice is what the methods do; NDCG lost is paired per
query group, against the teacher and against that row, with one-sided 95 % bounds. Of `prune_trees` the strategy, and
the true labels' share in what `ridge_loss` replaces trees by; of `prune_levels` the share of a candidate's weight that
is its |delta NDCG|, and the power of a subtree's size that its penalty grows with.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from catalogue import builder_of
from tree_pruning import applied, bounds

from harness.cache import Cache, default_cache_dir
from harness.ndcg import quality_drop
from harness.protocols import Compression
from harness.scenario import load
from harness.scoring import quality
from harness.trees.pruning import level_state, tree_selection

Choice = tuple[str, dict[str, Any], AbstractContextManager[Any]]


def choices(keep: float) -> Iterator[list[Choice]]:
    """Groups of rivals: name, step, and what is changed in the code meanwhile; the default first."""
    trees, levels = {"kind": "prune_trees", "keep": keep}, {"kind": "prune_levels", "keep": keep}
    rivals = ("ridge_loss", "quality_loss_greedy", "quality_loss", "score_loss", "low_weights", "skip", "last")
    yield [(f"strategy {name}", {**trees, "strategy": name}, nullcontext()) for name in rivals]
    shares = (tree_selection._LABEL_SHARE, 0.0, 0.1, 0.4, 0.7, 1.0)
    yield [(f"labels' share {share:g}", trees, patch.object(tree_selection, "_LABEL_SHARE", share)) for share in shares]
    yield [(f"pair_weight {own:g}", {**levels, "pair_weight": own}, nullcontext()) for own in (0.0, 0.25, 0.5, 1.0)]
    yield [(f"penalty by size^{power:g}", levels, priced(power)) for power in (0.5, 0.0, 1.0)]


def priced(power: float) -> AbstractContextManager[Any]:
    """Penalties that grow with another power of a subtree's size than the square root."""
    begin = level_state.LevelState.begin_level

    def changed(self: level_state.LevelState) -> bool:
        begun = begin(self)
        if begun:
            self._price = self._price ** (2 * power)
        return begun

    return patch.object(level_state.LevelState, "begin_level", changed)


def main() -> None:
    """Train the teacher or find it in the cache, prune it in every way, print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of the scenario, KEY=VALUE")
    parser.add_argument("--keep", type=float, default=0.25, help="share of the trees, or of the nodes")
    parser.add_argument("--cache", type=Path, default=default_cache_dir())
    asked = parser.parse_args()
    scenario, cache = load([asked.scenario], asked.set)[0].scenario, Cache(asked.cache)
    builder = builder_of(scenario, cache, "test")
    spec, valid, teacher = builder.ndcg, builder.splits.valid, builder.train(scenario.ranker)[0]
    halves = [valid.take_groups(np.arange(first, valid.n_groups, 2)) for first in (0, 1)]
    splits = replace(builder.splits, valid=halves[0], test=halves[1])
    base = quality(teacher, splits.test, spec)
    print(
        f"{asked.scenario.stem}, {teacher.manifest.size.n_trees} trees, {spec}, {splits.test.n_groups:,} query groups\n"
    )
    print("| choice | NDCG | lost | against the default |\n" + "|---" * 4 + "|")
    for rivals in choices(asked.keep):
        default = None
        for name, step, changed in rivals:
            work = Compression(teacher, teacher, splits, cache.root / "step", 1, spec, lambda _: None)
            with changed:
                own = quality(applied(step, work), splits.test, spec)
            lost, beside = quality_drop(base, own), quality_drop(default, own) if default is not None else None
            default = own if default is None else default
            row = f"{step['kind']}, {name} | {lost.ndcg:.4f} | {bounds(lost)} | {bounds(beside) if beside else ''}"
            print(f"| {row} |", flush=True)


if __name__ == "__main__":
    main()
