"""The keys of a scenario that shape a LightGBM ensemble, wherever one is trained."""

from __future__ import annotations

from pydantic import Field

from harness.protocols import PluginOptions


class GbdtOptions(PluginOptions):
    """Size and learning of a gradient-boosted ensemble."""

    n_trees: int = Field(default=300, ge=1, le=20_000, description="trees, one per boosting round")
    n_leaves: int = Field(default=64, ge=2, le=4096, description="most leaves per tree")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="shrinkage of each tree")
    min_rows_per_leaf: int = Field(default=50, ge=1, description="fewest training rows in a leaf")
    max_bin: int = Field(default=255, ge=3, le=65_535, description="histogram bins per feature")
    feature_share: float = Field(default=1.0, gt=0, le=1, description="share of features drawn for each tree")
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="seed of all random choices")
