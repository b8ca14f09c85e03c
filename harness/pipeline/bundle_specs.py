"""What a bundle depends on: the specification whose digest is its key in the cache."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cache import package_versions
from harness.records import Manifest, NdcgSpec
from harness.scenario import Choice, options

BUNDLES = "bundles"
"""The room of the cache that they are in."""
_LIBRARIES = ("lightgbm", "xgboost", "torch", "treelite", "numpy")


@dataclass(frozen=True)
class BundleSpecs:
    """Specifications of one scenario's bundles: on data of that digest, by that NDCG, made by code of that digest."""

    data: str
    ndcg: NdcgSpec
    code: str

    def teacher(self, choice: Choice) -> dict[str, Any]:
        """Of what a `ranker` section gives; the content of the user's own model file is part of it."""
        chosen = options("rankers", choice).model_dump(mode="json")
        return self._whole({"ranker": choice.kind, "options": chosen, **_identity_of_file(chosen)})

    def step(self, choice: Choice, before: Manifest, teacher: Manifest) -> dict[str, Any]:
        """Of what a method makes of the bundle before it."""
        return self._whole(
            {
                "method": choice.kind,
                "options": options("methods", choice).model_dump(mode="json"),
                "before": before.digest,
                "meta": facts(before),
                "teacher": teacher.digest,
            }
        )

    def _whole(self, own: dict[str, Any]) -> dict[str, Any]:
        versions = package_versions(*_LIBRARIES)
        return own | {"data": self.data, "ndcg": self.ndcg.model_dump(), "versions": versions, "code": self.code}


def facts(manifest: Manifest) -> dict[str, Any]:
    """What a bundle's maker left for the next method: all but the notes, which are its own."""
    return {key: value for key, value in manifest.meta.items() if key != "notes"}


def _identity_of_file(chosen: dict[str, Any]) -> dict[str, Any]:
    """Content digest of the user's own model file, so that a changed file is never mistaken for the old one."""
    path = Path(str(chosen.get("path", "")))
    if not chosen.get("path") or not path.is_file():
        return {}
    with path.open("rb") as file:
        return {"file_sha256": hashlib.file_digest(file, "sha256").hexdigest()}
