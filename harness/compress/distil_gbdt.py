"""Train a smaller LightGBM ensemble on the teacher's scores, on these and the labels, or on from the recipe's trees.

For any teacher, networks too. A small ensemble learns worse from the teacher's scores alone than from the labels, and
at best better from scores first and labels then (`targets: mixed`); boosted on from pruned trees (`start: pruned`) it
does as well as `prune_trees` alone at equal size (figures: `results/evidence/gbdt-students.md`). So prune first, and
distil where the teacher is no tree ensemble, or the labels are poor. It costs one training. The control is a student of
the same shape that learns from the true labels alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from harness.bundle import CANONICAL, Draft
from harness.compress._size_options import refuses_all_but_trees
from harness.errors import ModelError
from harness.protocols import Compression
from harness.records import Manifest
from harness.trees.gbdt_options import GbdtOptions

if TYPE_CHECKING:
    from harness.trees.forest import Forest


class Options(GbdtOptions):
    """Shape of the student, what it learns from, and where it begins."""

    n_trees: int = Field(default=100, ge=1, le=20_000, description="trees of the student, with those it begins with")
    n_leaves: int = Field(default=32, ge=2, le=4096, description="most leaves per tree that is grown")
    targets: Literal["teacher", "labels", "mixed"] = Field(
        default="teacher",
        description="teacher: regression on its scores, centred per query group; labels: lambdarank on the true grades "
        "alone; mixed: first the one, then the other",
    )
    label_share: float = Field(
        default=0.5, gt=0, lt=1, description="mixed: share of the grown trees that learn the true grades, the last ones"
    )
    start: Literal["fresh", "pruned"] = Field(
        default="fresh",
        description="pruned: the trees that the recipe has left stay, and new ones are boosted on top of them",
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Works from every teacher that can be scored; to go on from trees, there have to be some, and fewer than asked."""
    if options.start == "pruned" and (reason := refuses_all_but_trees(manifest)):
        return reason
    if options.start == "pruned" and manifest.size.n_trees >= options.n_trees:
        return f"start: pruned goes on to {options.n_trees} trees, and there are {manifest.size.n_trees} already"
    return "" if manifest.format in CANONICAL else f"a {manifest.format} bundle can't be scored"


def starts_anew(options: Options) -> bool:
    """Unless it goes on from the trees that the recipe has left."""
    return options.start == "fresh"


def apply(options: Options, work: Compression) -> Draft:
    """Write the student, which learns from the uncompressed teacher.

    Scores are centred per query group (Euclidean distance to the teacher's ranking function, less the part that no
    ranking depends on), so that the student spends no split on telling query groups apart. Raises ModelError where the
    trees to go on from are an average.
    """
    from harness.trees import artefacts
    from harness.trees.pruning.boosted_on import boosted_on

    if options.start == "fresh":
        objective = "regression" if options.targets == "teacher" else "lambdarank"
        forest = _grown(options, work, None)
        return artefacts.save(forest, work.out, work.splits.train.feature_names, lightgbm_objective=objective)
    before = artefacts.load(work.bundle)
    if before.average:
        raise ModelError(
            "is an average of trees, which boosting can't go on from",
            where=str(work.bundle.path),
            remedy="use start: fresh",
        )
    grown = _grown(options, work, before)
    return artefacts.save_like(boosted_on(before, grown), work.out, work.bundle)


def _grown(options: Options, work: Compression, before: Forest | None) -> Forest:
    """The trees that are new: those of the teacher's scores, then those of the labels."""
    from harness.scoring import score
    from harness.trees.grades import check_grades
    from harness.trees.lightgbm_fit import MAX_GRADE, fit
    from harness.trees.traverse import predict

    data, n_grown = work.splits.train, options.n_trees - (len(before.trees) if before else 0)
    n_labels = {"teacher": 0, "labels": n_grown, "mixed": round(options.label_share * n_grown)}[options.targets]
    scores = None if before is None else predict(before, data.features)
    how: dict[str, Any] = {"n_threads": work.n_threads, "progress": work.progress}
    grown = None
    if n_labels < n_grown:
        targets = data.centred(score(work.teacher, data.features))
        shape = options.model_copy(update={"n_trees": n_grown - n_labels})
        grown = fit("regression", data, targets, shape, start=scores, **how)
    if n_labels:
        check_grades(data, MAX_GRADE)
        if grown is not None:
            scores = predict(grown, data.features) + (0.0 if scores is None else scores)
        shape = options.model_copy(update={"n_trees": n_labels})
        last = fit("lambdarank", data, data.grades, shape, start=scores, **how)
        grown = last if grown is None else grown.with_trees(grown.trees + last.trees)
    assert grown is not None  # noqa: S101  # n_grown is at least 1
    return grown


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """An ensemble of the same size trained on the true grades alone; None where this is that one."""
    if options.targets == "labels" and options.start == "fresh":
        return None
    shape = options.model_dump(exclude={"label_share", "start"})
    if options.start == "pruned":
        shape["n_leaves"] = max(2, round(after.size.n_leaves / after.size.n_trees))
    return {"kind": "distil_gbdt", **shape, "targets": "labels"}
