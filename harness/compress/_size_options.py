"""How small a forest shall become: one key of several, as the tree methods share it."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.protocols import PluginOptions
from harness.records import Manifest


class SizeOptions(PluginOptions):
    """Base of options that say a size in exactly one of several ways: the keys that have no default."""

    keep: float | None = Field(default=None, gt=0, le=1, description="share to keep")
    max_nodes: int | None = Field(default=None, ge=1, description="most nodes (splits and leaves) in all")
    max_drop: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="as small as the valid split allows: most NDCG lost against the step's input, at its 95 % bound",
    )

    @model_validator(mode="after")
    def _one_size(self) -> SizeOptions:
        keys = [key for key, field in type(self).model_fields.items() if field.default is None]
        given = [key for key in keys if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise ValueError(f"give exactly one of {', '.join(keys)} (found {found})")
        return self


def refuses_all_but_trees(manifest: Manifest) -> str:
    """Why a method on the trees themselves can't work on a bundle."""
    if manifest.format != "trees":
        return f"a {manifest.format} bundle has no trees"
    if "quantise" in manifest.meta:
        return "the bundle is quantised already; put quantise behind this step"
    return ""
