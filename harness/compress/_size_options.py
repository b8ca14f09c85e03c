"""How small a model shall become: one key of several, as methods share it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.protocols import PluginOptions
from harness.records import Manifest

Keep = Annotated[float | None, Field(gt=0, le=1, description="share to keep")]
MaxDrop = Annotated[
    float | None,
    Field(
        ge=0,
        le=1,
        description="as small as the valid split allows: most NDCG lost against the step's input, at its 95 % bound",
    ),
]


class OneOfSeveral(PluginOptions):
    """Base of options of which exactly one is given; keys with a default other than None are no part of that."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        keys = [key for key, field in type(self).model_fields.items() if field.default is None]
        given = [key for key in keys if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise ValueError(f"give exactly one of {', '.join(keys)} (found {found})")
        return self


class SizeOptions(OneOfSeveral):
    """Base of options that say the size of a forest in exactly one of several ways."""

    keep: Keep = None
    max_nodes: int | None = Field(default=None, ge=1, description="most nodes (splits and leaves) in all")
    max_drop: MaxDrop = None


def refuses_all_but_trees(manifest: Manifest) -> str:
    """Why a method on the trees themselves can't work on a bundle."""
    if manifest.format != "trees":
        return f"a {manifest.format} bundle has no trees"
    if "early_exit" in manifest.meta:
        return "candidates leave the bundle's forest early, by a choice made for its trees; put early_exit last"
    if "quantise" in manifest.meta:
        return "the bundle is quantised already; put quantise behind this step"
    return ""
