"""What should a small ensemble learn? `distil_gbdt` in every form beside the same size trained on the labels.

    python tests/benchmarks/gbdt_students.py scenarios/movielens.yaml --sizes 100x32 40x16
    python tests/benchmarks/gbdt_students.py scenarios/lightgbm-distil-gbdt.yaml --set data.train_groups=2000

Data and NDCG are those of the scenario; the teacher is LightGBM with early stopping (`--teacher` trees x leaves). Trees
to go on from are the half that `prune_trees` keeps of as many as the student has. They have the leaves of the teacher,
so the control of such a student has more leaves too. NDCG lost against the teacher and against the control is paired
per query group of the test split, with one-sided 95 % bounds; below 0 the student wins.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import registry
from harness.bundle import Bundle, seal
from harness.cache import Cache
from harness.ndcg import quality_drop
from harness.pipeline.build import Builder
from harness.pipeline.data import load_data
from harness.protocols import Compression
from harness.ranking_data import Floats
from harness.scenario import Choice, load_one, options
from harness.scoring import quality

FORMS: dict[str, dict[str, Any]] = {
    "labels (the control)": {"targets": "labels"},
    "teacher": {"targets": "teacher"},
    **{f"mixed, {share:g} labels": {"targets": "mixed", "label_share": share} for share in (0.25, 0.5, 0.75)},
    **{f"{goal}, from pruned trees": {"targets": goal, "start": "pruned"} for goal in ("teacher", "labels", "mixed")},
}


def drop(base: Floats, own: Floats) -> str:
    """Loss, and its bounds."""
    lost = quality_drop(base, own)
    return f"{lost.drop:+.4f} ({lost.drop_lower:+.4f} to {lost.drop_upper:+.4f})"


def main() -> None:
    """Train the teacher and every student, print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of the scenario, KEY=VALUE")
    parser.add_argument("--sizes", nargs="+", default=["100x32", "40x16"], help="trees x leaves of the students")
    parser.add_argument("--teacher", default="500x64")
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "gbdt-students", help="kept models")
    arguments = parser.parse_args()
    scenario, cache = load_one(arguments.scenario, arguments.set), Cache(arguments.dir / "cache")
    splits, spec = load_data(scenario.data, cache), scenario.sla.ndcg
    builder = Builder(cache, splits, spec, 1, lambda _: None)
    n_trees, n_leaves = arguments.teacher.split("x")
    shape = {"n_trees": int(n_trees), "n_leaves": int(n_leaves), "learning_rate": 0.05, "early_stopping_rounds": 50}
    teacher, _ = builder.train(Choice.model_validate({"kind": "lightgbm", **shape}))
    base = quality(teacher, splits.test, spec)
    method = registry.method("distil_gbdt")

    def applied(bundle: Bundle, step: dict[str, Any]) -> Bundle:
        out, choice = Path(tempfile.mkdtemp(dir=arguments.dir)), Choice.model_validate(step)
        work = Compression(bundle, teacher, splits, out, 1, spec, lambda _: None)
        return seal(out, registry.method(choice.kind).apply(options("methods", choice), work), origin={})

    print(f"## {scenario.name}\n\nTeacher of {teacher.manifest.size.n_trees} trees x {n_leaves}, {spec}, ", end="")
    print(f"{splits.train.n_groups:,} query groups of train, {splits.test.n_groups:,} of test\n")
    print("| student | learns | nodes | NDCG | lost against the teacher | against the control | built in |")
    print("|---" * 7 + "|")
    for size in arguments.sizes:
        n_trees, n_leaves = map(int, size.split("x"))
        pruned = applied(teacher, {"kind": "prune_trees", "max_trees": n_trees // 2})
        rivals: dict[int, Floats] = {}
        for form, asked in FORMS.items():
            started = time.perf_counter()
            step = {"kind": "distil_gbdt", "n_trees": n_trees, "n_leaves": n_leaves, **asked}
            before = pruned if "start" in asked else teacher
            student = applied(before, step)
            built_s, own = time.perf_counter() - started, quality(student, splits.test, spec)
            chosen = options("methods", Choice.model_validate(step))
            control = method.control(chosen, before.manifest, student.manifest) or step
            if control["n_leaves"] not in rivals:
                rival = own if control is step else quality(applied(teacher, control), splits.test, spec)
                rivals[control["n_leaves"]] = rival
            against = f"{drop(rivals[control['n_leaves']], own)}, {n_trees}x{control['n_leaves']}"
            lost = f"{quality_drop(base, own).ndcg:.4f} | {drop(base, own)} | {against}"
            print(f"| {size} | {form} | {student.manifest.size.n_nodes:,} | {lost} | {built_s:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
