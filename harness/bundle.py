"""Bundles: a directory with the model's artefacts and a manifest that carries their digests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import ModelError
from harness.records import FileEntry, Manifest, ModelSize

MANIFEST = "manifest.json"
CANONICAL = {
    "trees": "model.treelite",
    "mlp": "model.npz",
    "torchscript": "model.pt",
    "onnx": "model.onnx",
}


@dataclass(frozen=True)
class Draft:
    """What a ranker or method reports of the artefacts it has written; `seal` turns it into a bundle."""

    format: str
    n_features: int
    feature_names: tuple[str, ...]
    size: ModelSize
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """A sealed directory."""

    path: Path
    manifest: Manifest

    @property
    def artefact(self) -> Path:
        """The canonical artefact, whose bytes are the bundle's size on disk."""
        return self.path / CANONICAL[self.manifest.format]

    def file(self, name: str) -> Path:
        """Path of one of the bundle's files; ModelError where the bundle has none of that name."""
        if name not in self.manifest.files:
            raise ModelError(f"has no {name}, only {', '.join(self.manifest.files)}", where=str(self.path))
        return self.path / name


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(path: Path, draft: Draft, *, origin: dict[str, Any], parents: tuple[str, ...] = ()) -> Bundle:
    """Write the manifest over all files in `path`. The digest covers format, width and the files' content."""
    files = {
        file.relative_to(path).as_posix(): FileEntry(sha256=sha256_of(file), n_bytes=file.stat().st_size)
        for file in sorted(path.rglob("*"))
        if file.is_file() and file != path / MANIFEST
    }
    canonical = CANONICAL.get(draft.format)
    if canonical not in files:
        raise ModelError(f"a {draft.format} bundle needs {canonical}, found {', '.join(files)}", where=str(path))
    manifest = Manifest(
        format=draft.format,
        digest=_digest(draft.format, draft.n_features, files),
        files=files,
        n_features=draft.n_features,
        feature_names=draft.feature_names,
        parents=parents,
        origin=origin,
        size=draft.size.model_copy(update={"disk_bytes": files[canonical].n_bytes}),
        meta=draft.meta,
    )
    (path / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return Bundle(path, manifest)


def open_bundle(path: Path) -> Bundle:
    """Open a bundle and check every file against its digest; ModelError where anything is missing or changed."""
    remedy = "build it again with `harness run`, or delete the directory"
    try:
        manifest = Manifest.model_validate_json((path / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f"not a bundle: no {MANIFEST}", where=str(path), remedy=remedy) from error
    except (ValidationError, ValueError) as error:
        raise ModelError(f"unreadable {MANIFEST}: {error}", where=str(path), remedy=remedy) from error
    if manifest.format not in CANONICAL:
        raise ModelError(f"unknown bundle format {manifest.format!r}", where=str(path), remedy=remedy)
    for name, entry in manifest.files.items():
        file = path / name
        if not file.resolve().is_relative_to(path.resolve()) or not file.is_file():
            raise ModelError(f"{name} is missing", where=str(path), remedy=remedy)
        if sha256_of(file) != entry.sha256:
            raise ModelError(f"{name} does not match its digest", where=str(path), remedy=remedy)
    return Bundle(path, manifest)


def _digest(format_name: str, n_features: int, files: dict[str, FileEntry]) -> str:
    lines = [format_name, str(n_features), *(f"{name} {entry.sha256}" for name, entry in sorted(files.items()))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
