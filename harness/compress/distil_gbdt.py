"""Train a smaller LightGBM ensemble on the teacher's scores."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import Field

from harness.bundle import CANONICAL, Draft
from harness.protocols import Compression
from harness.records import Manifest
from harness.trees.gbdt_options import GbdtOptions


class Options(GbdtOptions):
    """Shape of the student, and what it learns from."""

    n_trees: int = Field(default=100, ge=1, le=20_000, description="trees of the student")
    n_leaves: int = Field(default=32, ge=2, le=4096, description="most leaves per tree")
    targets: Literal["teacher", "labels"] = Field(
        default="teacher",
        description="teacher: regression on its scores, centred per query group; labels: lambdarank on the true grades",
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Works from every teacher that can be scored."""
    return "" if manifest.format in CANONICAL else f"a {manifest.format} bundle can't be scored"


def apply(options: Options, work: Compression) -> Draft:
    """Write the student. It learns from the uncompressed teacher, wherever in the recipe it stands.

    Scores are centred per query group (Euclidean distance to the teacher's ranking function, less the part that no
    ranking depends on), so that the student spends no split on telling query groups apart.
    """
    from harness.scoring import score
    from harness.trees import artefacts
    from harness.trees.grades import check_grades
    from harness.trees.lightgbm_fit import MAX_GRADE, fit

    data = work.splits.train
    objective: Literal["lambdarank", "regression"]
    targets: NDArray[Any]
    if options.targets == "labels":
        check_grades(data, MAX_GRADE)
        objective, targets = "lambdarank", data.grades
    else:
        objective, targets = "regression", data.centred(score(work.teacher, data.features))
    forest = fit(objective, data, targets, options, n_threads=work.n_threads, progress=work.progress)
    return artefacts.save(forest, work.out, data.feature_names, lightgbm_objective=objective)


def control(options: Options, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """An ensemble of the same shape trained on the true grades; None where this is that one."""
    if options.targets == "labels":
        return None
    return {"kind": "distil_gbdt", **options.model_dump(), "targets": "labels"}
