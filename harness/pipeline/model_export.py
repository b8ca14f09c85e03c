"""Export: a bundle in a form of others, checked by what its user would run, in a process without us."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import registry
from harness.bench.rows import made_up_rows
from harness.bundle import Bundle
from harness.engines._networks import on_grids
from harness.engines._scorer import NETWORK_ROUNDING, SUM_ROUNDING
from harness.errors import HarnessError, ModelError, UsageError
from harness.protocols import Exporter, Progress
from harness.ranking_data import Features
from harness.records import Manifest
from harness.scoring import score

GRID_ROUNDING = 0.02
"""The same for int8 on fixed grids, where a last bit of float32 decides which step of its grid a value takes."""
_MADE_UP_ROWS = 1024
_LAST_LINES = 6
_OTHER_FORM = "choose another form (`harness list exporters`)"
_README = """\
# A ranker for {form}

Scores of candidates, higher is better, as they come out of the model (no sigmoid is applied). `x` is a float32 array
(n, {n_features}), row by row, NaN for missing. {checked}

```python
{usage}```

Bundle {digest}. The columns of `x`, in order: {names}.
"""


@dataclass(frozen=True)
class Exported:
    """What was written, how it is used, and what checking it found."""

    folder: Path
    files: tuple[str, ...]
    usage: str
    checked: str


def export_model(bundle: Bundle, form: str, folder: Path, progress: Progress) -> Exported:
    """Write a bundle into `folder` in the form of that name. Nothing is written where it does not score the same.

    Raises UsageError for an unknown form and a folder with something in it, ModelError for what the form can't hold.
    """
    exporter = registry.exporter(form)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError("is not an empty folder", where=str(folder), remedy="name a new one")
    left_early = "candidates leave its forest early, which no other library's form can say"
    if reason := left_early if "early_exit" in bundle.manifest.meta else exporter.refuses(bundle.manifest):
        raise ModelError(
            reason, where=f"{bundle.path} to {form}", remedy="choose another form (`harness list exporters`)"
        )
    with tempfile.TemporaryDirectory(prefix="harness-export-") as work:
        made = Path(work) / "made"
        made.mkdir()
        progress(f"writing {form}")
        exporter.write(bundle, made)
        files = tuple(sorted(path.name for path in made.iterdir()))
        lacking = exporter.lacks()
        checked = f"Not checked: {lacking}." if lacking else _checked(exporter, bundle, made, Path(work), progress)
        (made / "README.md").write_text(_readme(form, bundle.manifest, exporter.USAGE, checked), encoding="utf-8")
        try:
            shutil.copytree(made, folder, dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise HarnessError(f"can't write: {error}", where=str(folder), remedy="choose another folder") from error
    return Exported(folder, files, exporter.USAGE, checked)


def _checked(exporter: Exporter, bundle: Bundle, made: Path, work: Path, progress: Progress) -> str:
    """Run what the user would in a copy of the folder; what it found, ModelError where that is another score."""
    progress("checking it as its user would load it")
    x = _rows(bundle)
    expected, found = score(bundle, x), _scores(exporter.USAGE, x, shutil.copytree(made, work / "tried"), work)
    if found.shape != expected.shape:
        raise ModelError(
            f"gives scores of shape {found.shape} for {len(x)} rows",
            where=str(bundle.path),
            remedy="choose another form",
        )
    difference, largest = np.abs(found - expected), float(np.abs(expected).max())
    if not (difference <= _tolerance(bundle.manifest) * largest).all():
        row = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
        raise ModelError(
            f"the export scores {found[row]} where the bundle scores {expected[row]} (row {row} of {len(x)} made up)",
            where=str(bundle.path),
            remedy=f"nothing was written; {_OTHER_FORM}",
        )
    return (
        f"Checked on {len(x):,} made-up rows: the largest difference from the bundle's scores, which go up to "
        f"{largest:.4g}, is {float(difference.max()):.2g}."
    )


def _rows(bundle: Bundle) -> Features:
    """Made-up rows, and for trees those at their thresholds and beside them."""
    x = made_up_rows(bundle, 1)[:_MADE_UP_ROWS]
    if bundle.manifest.format != "trees":
        return x
    from harness.trees.artefacts import load
    from harness.trees.probe_rows import probe

    return np.concatenate([x, probe(load(bundle))])


def _scores(usage: str, x: Features, folder: Path, work: Path) -> NDArray[np.float32]:
    """What the lines of `usage` make of x (n, n_features), in a process of their own."""
    given, taken = work / "x.npy", work / "scores.npy"
    np.save(given, x)
    code = f"import sys, numpy\nx = numpy.load(sys.argv[1])\n{usage}numpy.save(sys.argv[2], scores)\n"
    command = [sys.executable, "-c", code, str(given), str(taken)]
    child = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if child.returncode:
        said = "\n".join(child.stderr.strip().splitlines()[-_LAST_LINES:])
        raise ModelError(f"the export can't be used (status {child.returncode}):\n{said}", remedy="nothing was written")
    return np.asarray(np.load(taken, allow_pickle=False), dtype=np.float32)


def _tolerance(manifest: Manifest) -> float:
    """The most by which a score may differ, as a share of the largest."""
    if manifest.format == "trees":
        return SUM_ROUNDING
    return GRID_ROUNDING if on_grids(manifest) else NETWORK_ROUNDING


def _readme(form: str, manifest: Manifest, usage: str, checked: str) -> str:
    return _README.format(
        form=form,
        n_features=manifest.n_features,
        checked=checked,
        usage=usage,
        digest=manifest.digest,
        names=", ".join(manifest.feature_names),
    )
